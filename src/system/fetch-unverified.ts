import { toFetchError } from "./fetch-error.ts";
import { chooseProxy, type ProxyEnvironment } from "./proxy-environment.ts";

/**
 * What a server answers to GET whose certificate is not checked: for something public that is compared with what somebody knows before
 * it is believed (a CA certificate and its fingerprint), never for anything else. Nothing is sent but the address. undefined unless
 * the answer is 200; throws UNREACHABLE.
 */
export async function fetchUnverified(
  url: string,
  options: {
    readonly signal: AbortSignal;
    readonly maxBytes: number;
    readonly environment: ProxyEnvironment;
  },
): Promise<Uint8Array | undefined> {
  const address = new URL(url);
  try {
    const response = await fetch(address.href, {
      redirect: "manual",
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(10_000)]),
      tls: { rejectUnauthorized: false },
      // `false` keeps Bun from reading the environment by itself; its types do not know it yet.
      proxy: (chooseProxy(address, options.environment) ?? false) as string,
    });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      return undefined;
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body) {
      length += chunk.length;
      if (length > options.maxBytes) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (cause) {
    throw toFetchError(cause, address.host, undefined);
  }
}
