import { programPath } from "../../test/support/programs.ts";
import { type RegistryTarget, sha256Of, startUpload } from "../../test/support/registry-calls.ts";
import { mustRun } from "../../test/support/run-program.ts";

/** Downloads an address with several curls at once, each again and again over one connection. Gigabytes per second of all. */
export async function measureDownload(load: {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly connections: number;
  readonly timesEach: number;
  readonly sizeBytes: number;
}): Promise<number> {
  const config = [
    "silent",
    "show-error",
    "insecure",
    "fail",
    ...(load.authorization === undefined ? [] : [`header = "Authorization: ${load.authorization}"`]),
    ...Array.from({ length: load.timesEach }, () => `url = "${load.url}"\noutput = "/dev/null"`),
  ].join("\n");
  const started = performance.now();
  await Promise.all(
    Array.from({ length: load.connections }, () =>
      // The header goes by standard input, not by the command line.
      mustRun([programPath("curl"), "--config", "-"], { input: config }),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  return (load.connections * load.timesEach * load.sizeBytes) / 1e9 / seconds;
}

/**
 * A file of random bytes with another first kilobyte each time: no server may know the digest from before.
 */
export class UploadFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(path: string, bytes: Uint8Array<ArrayBuffer>) {
    this.path = path;
    this.sizeBytes = bytes.byteLength;
    // A copy: what it is made from is somebody else's.
    this.#bytes = bytes.slice();
  }

  async renew(): Promise<UploadSource> {
    crypto.getRandomValues(this.#bytes.subarray(0, 1024));
    await Bun.write(this.path, this.#bytes);
    return { path: this.path, sizeBytes: this.sizeBytes, digest: sha256Of(this.#bytes) };
  }
}

/** The bytes of one upload: a file, and its digest. */
export interface UploadSource {
  readonly path: string;
  readonly sizeBytes: number;
  readonly digest: string;
}

/**
 * POST, then one PUT; or chunks of `chunkBytes`, then an empty PUT. Gigabytes per second, the acknowledgement included.
 * Bun's fetch sends a file by sendfile: 0.2 s of a core for a gigabyte.
 */
export async function measureUpload(
  target: RegistryTarget,
  repository: string,
  source: UploadSource,
  chunkBytes?: number,
): Promise<number> {
  const started = performance.now();
  let place = await startUpload(target, repository);
  if (chunkBytes !== undefined) {
    for (let at = 0; at < source.sizeBytes; at += chunkBytes) {
      const end = Math.min(at + chunkBytes, source.sizeBytes);
      const answer = await send(target, "PATCH", place, Bun.file(source.path).slice(at, end), {
        "content-range": `${at}-${end - 1}`,
      });
      place = new URL(answer.headers.get("location") ?? "", target.url).href;
    }
  }
  const separator = place.includes("?") ? "&" : "?";
  const body = chunkBytes === undefined ? Bun.file(source.path) : undefined;
  await send(target, "PUT", `${place}${separator}digest=${source.digest}`, body, {});
  return source.sizeBytes / 1e9 / ((performance.now() - started) / 1000);
}

async function send(
  target: RegistryTarget,
  method: string,
  place: string,
  body: Blob | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const answer = await fetch(new URL(place, target.url), {
    method,
    headers: {
      ...headers,
      "content-type": "application/octet-stream",
      ...(target.authorization === "" ? {} : { authorization: target.authorization }),
    },
    tls: { rejectUnauthorized: false },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${place}: ${answer.status} ${text}`);
  return answer;
}
