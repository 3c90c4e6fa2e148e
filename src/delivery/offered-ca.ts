import { X509Certificate } from "node:crypto";
import type { Context } from "#core";
import { registryHost } from "#oci";
import { fetchUnverified } from "#system";

/** A CA certificate that a registry offers of itself. Nobody has vouched for it yet. */
export interface OfferedCa {
  readonly pem: string;
  /** SHA-256, `AA:BB:…`: what a person compares with what the server printed. */
  readonly fingerprint: string;
  readonly subject: string;
}

/**
 * The CA that a registry offers at `/ca.crt` (`wharf serve --tls auto` does); undefined where it offers none. The connection is not
 * verified, so it must be compared before it is used.
 */
export async function readOfferedCa(
  context: Context,
  registry: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<OfferedCa | undefined> {
  const bytes = await fetchUnverified(`https://${registryHost(registry)}/ca.crt`, {
    signal: context.signal,
    maxBytes: 64 * 1024,
    environment,
  });
  if (bytes === undefined) return undefined;
  const certificate = parseCertificate(bytes);
  if (certificate?.ca !== true) return undefined;
  return {
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256,
    subject: certificate.subject.replaceAll("\n", ", "),
  };
}

function parseCertificate(bytes: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined; // Some other page stands at that address.
  }
}
