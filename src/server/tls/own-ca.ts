import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { AppError, Secret } from "#core";
import { createFileDurable, ensurePrivateFolder, readTextLimited, writeFileDurable } from "#system";
import type { TlsMaterial } from "../listener.ts";
import { createCaCertificate, createEcKey, createServerCertificate } from "./certificate.ts";

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const SERVER_DAYS = 90;
const MAX_PEM_BYTES = 64 * 1024;

/** The CA of one data folder: signs the certificates of the servers that serve it. */
export interface OwnCa {
  /** PEM, for clients to trust. */
  readonly certificate: string;
  /** SHA-256 fingerprint of it, `AB:CD:…`, for people to compare. */
  readonly fingerprint: string;
  readonly expiresAt: number;
  /** A fresh key and certificate for these names and addresses, valid for 90 days from `now`. Kept nowhere. */
  issue(names: readonly string[], now: number): TlsMaterial;
}

/**
 * Opens the CA in `DIR/tls`, made at first use: `ca.pem` (0600) holds key and certificate in one file, so that of two servers starting at
 * once one wins and both use the same; `ca.crt` (0644) is the certificate alone. Throws CONFIG_INVALID for a file that is not ours.
 */
export async function openOwnCa(dataDir: string, now: number): Promise<OwnCa> {
  const folder = join(dataDir, "tls");
  const file = join(folder, "ca.pem");
  await ensurePrivateFolder(folder);
  let pem = await readTextLimited(file, MAX_PEM_BYTES);
  if (pem === undefined) {
    await createFileDurable(file, createCa(now));
    pem = await readTextLimited(file, MAX_PEM_BYTES);
  }
  const { key, certificate, x509, commonName } = parseCa(pem ?? "", file);
  const publicFile = join(folder, "ca.crt");
  if ((await readTextLimited(publicFile, MAX_PEM_BYTES)) !== certificate)
    await writeFileDurable(publicFile, certificate, { mode: 0o644 });
  return {
    certificate,
    fingerprint: x509.fingerprint256,
    expiresAt: x509.validToDate.getTime(),
    issue(names, at) {
      const serverKey = createEcKey();
      const cert = createServerCertificate(
        {
          commonName: names[0]?.slice(0, 64) ?? "wharf",
          publicKey: createPublicKey(serverKey),
          issuer: { commonName, key },
          // Clients' clocks may be behind.
          notBefore: new Date(at - 3_600_000),
          notAfter: new Date(Math.min(at + SERVER_DAYS * DAY_MS, x509.validToDate.getTime())),
        },
        names,
      );
      return { cert, key: new Secret(exportKey(serverKey)) };
    },
  };
}

function createCa(now: number): string {
  const key = createEcKey();
  // Two registries' CAs must not look like one in a trust store.
  const commonName = `Wharfinger CA ${randomBytes(4).toString("hex")}`;
  const notAfter = new Date(now + CA_DAYS * DAY_MS);
  return exportKey(key) + createCaCertificate({ commonName, key }, new Date(now - 3_600_000), notAfter);
}

function parseCa(pem: string, file: string) {
  try {
    const certificate = `${/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(pem)?.[0]}\n`;
    const x509 = new X509Certificate(certificate);
    const key: KeyObject = createPrivateKey(
      /-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----/.exec(pem)?.[0] ?? "",
    );
    const commonName = /^CN=(Wharfinger CA [0-9a-f]{8})$/.exec(x509.subject)?.[1];
    if (commonName !== undefined && x509.ca && x509.checkPrivateKey(key))
      return { key, certificate, x509, commonName };
  } catch (cause) {
    throw notOurs(file, cause);
  }
  throw notOurs(file);
}

function notOurs(file: string, cause?: unknown): AppError {
  return new AppError("CONFIG_INVALID", `${file} does not hold a CA that wharf made`, {
    hint: "restore it from a backup; or move it away, and a new CA is made that clients must be given anew",
    cause,
  });
}

function exportKey(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
