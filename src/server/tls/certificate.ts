import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { isIP } from "node:net";
import {
  derBits,
  derBoolean,
  derInteger,
  derOctets,
  derOid,
  derSequence,
  derSet,
  derTagged,
  derTime,
  derUtf8,
} from "./der.ts";

const OID = {
  commonName: "2.5.4.3",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

/** Who signs a certificate; for a CA's own, its own name and key. */
export interface Issuer {
  readonly commonName: string;
  readonly key: KeyObject;
}

interface CertificateRequest {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly issuer: Issuer;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A new EC P-256 private key. */
export function createEcKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
}

/** A CA's own certificate, PEM: it may sign servers' certificates and no further CA. */
export function createCaCertificate(issuer: Issuer, notBefore: Date, notAfter: Date): string {
  const publicKey = createPublicKey(issuer.key);
  return signCertificate({ commonName: issuer.commonName, publicKey, issuer, notBefore, notAfter }, [
    extension(OID.basicConstraints, true, derSequence(derBoolean(true), derInteger(Uint8Array.of(0)))),
    // keyCertSign (5), cRLSign (6)
    extension(OID.keyUsage, true, derBits(Uint8Array.of(0b0000_0110), 1)),
  ]);
}

/** A server's certificate, PEM, for host names and addresses. */
export function createServerCertificate(request: CertificateRequest, names: readonly string[]): string {
  return signCertificate(request, [
    extension(OID.basicConstraints, true, derSequence()),
    // digitalSignature (0)
    extension(OID.keyUsage, true, derBits(Uint8Array.of(0b1000_0000), 7)),
    extension(OID.extendedKeyUsage, false, derSequence(derOid(OID.serverAuth))),
    extension(OID.subjectAltName, false, derSequence(...names.map(generalName))),
    extension(
      OID.authorityKeyIdentifier,
      false,
      derSequence(derTagged(0, "primitive", keyIdentifier(createPublicKey(request.issuer.key)))),
    ),
  ]);
}

function signCertificate(request: CertificateRequest, extensions: readonly Uint8Array[]): string {
  const algorithm = derSequence(derOid(OID.ecdsaWithSha256));
  const identifier = extension(OID.subjectKeyIdentifier, false, derOctets(keyIdentifier(request.publicKey)));
  // RFC 5280 section 4.1
  const body = derSequence(
    derTagged(0, "constructed", derInteger(Uint8Array.of(2))),
    derInteger(randomSerial()),
    algorithm,
    distinguishedName(request.issuer.commonName),
    derSequence(derTime(request.notBefore), derTime(request.notAfter)),
    distinguishedName(request.commonName),
    request.publicKey.export({ type: "spki", format: "der" }),
    derTagged(3, "constructed", derSequence(...extensions, identifier)),
  );
  const signature = sign("sha256", body, request.issuer.key);
  return renderPem("CERTIFICATE", derSequence(body, algorithm, derBits(signature)));
}

function extension(oid: string, critical: boolean, content: Uint8Array): Uint8Array {
  return derSequence(derOid(oid), ...(critical ? [derBoolean(true)] : []), derOctets(content));
}

function distinguishedName(commonName: string): Uint8Array {
  return derSequence(derSet(derSequence(derOid(OID.commonName), derUtf8(commonName))));
}

function generalName(name: string): Uint8Array {
  return isIP(name) === 0
    ? derTagged(2, "primitive", Buffer.from(name, "ascii"))
    : derTagged(7, "primitive", addressBytes(name));
}

/** Positive, not zero, at most 20 bytes: RFC 5280 section 4.1.2.2. */
function randomSerial(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

/** RFC 7093 section 2, method 1, over the whole key information. */
function keyIdentifier(publicKey: KeyObject): Uint8Array {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 20);
}

function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split(".").map(Number));
  // RFC 4291 section 2.2: groups, at most one `::` for zeros, perhaps an IPv4 address as the last two groups.
  const tail = /[^:]*\.[^:]*$/.exec(address)?.[0];
  const [a = 0, b = 0, c = 0, d = 0] = tail?.split(".").map(Number) ?? [];
  const lastTwo = [(a << 8) | b, (c << 8) | d].map((group) => group.toString(16)).join(":");
  const plain = tail === undefined ? address : address.slice(0, -tail.length) + lastTwo;
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [left = [], right = []] = plain.split("::").map(groups);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return Uint8Array.from(
    [...left, ...zeros, ...right].flatMap((group) => {
      const number = Number.parseInt(group, 16);
      return [number >> 8, number & 0xff];
    }),
  );
}

function renderPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
