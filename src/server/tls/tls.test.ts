import { afterAll, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { needs } from "../../../test/support/programs.ts";
import { openOwnCa } from "./own-ca.ts";

const folder = mkdtempSync(join(tmpdir(), "wharf-tls-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const now = Date.UTC(2026, 0, 2);
const names = ["registry.example.org", "192.0.2.7", "2001:db8::10", "::1", "::ffff:1.2.3.4"];

test("a CA is made once, its key private, and signs certificates that node reads as they were meant", async () => {
  const ca = await openOwnCa(folder, now);
  expect(statSync(join(folder, "tls", "ca.pem")).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "tls")).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, "tls")).sort()).toEqual(["ca.crt", "ca.pem"]);
  expect(readFileSync(join(folder, "tls", "ca.crt"), "utf8")).toBe(ca.certificate);
  expect(ca.certificate).not.toContain("PRIVATE");
  expect((await openOwnCa(folder, now)).fingerprint).toBe(ca.fingerprint);

  const issuer = new X509Certificate(ca.certificate);
  const server = new X509Certificate(ca.issue(names, now).cert);
  expect(issuer.ca).toBe(true);
  expect(server.ca).toBe(false);
  expect(server.checkIssued(issuer)).toBe(true);
  expect(server.verify(issuer.publicKey)).toBe(true);
  expect(server.checkHost("registry.example.org")).toBe("registry.example.org");
  expect(server.checkHost("other.example.org")).toBeUndefined();
  for (const address of ["192.0.2.7", "2001:db8::10", "::1"]) expect(server.checkIP(address)).toBe(address);
  expect(server.validFromDate.getTime()).toBeLessThan(now);
  expect(server.validToDate.getTime()).toBe(now + 90 * 86_400_000);
  expect(ca.issue(names, now).cert).not.toBe(ca.issue(names, now).cert);
});

test("any address and any name is written as node reads it", async () => {
  const ca = await openOwnCa(folder, now);
  const label = fc.stringMatching(/^[a-z0-9]{1,20}$/);
  fc.assert(
    fc.property(
      fc.ipV4(),
      fc.ipV6(),
      fc.array(label, { minLength: 1, maxLength: 5 }),
      (four, six, labels) => {
        const host = `${labels.join(".")}.example`;
        const certificate = new X509Certificate(ca.issue([host, four, six], now).cert);
        expect(certificate.checkIP(four)).toBe(four);
        expect(certificate.checkIP(six)).toBe(six);
        expect(certificate.checkHost(host)).toBe(host);
      },
    ),
    { seed: 3, numRuns: 50 },
  );
});

test("of two servers that start at once both use the same CA", async () => {
  const shared = join(folder, "shared");
  const [one, two] = await Promise.all([openOwnCa(shared, now), openOwnCa(shared, now)]);
  expect(one.fingerprint).toBe(two.fingerprint);
});

test("a CA file that is not ours is named and left alone", async () => {
  const other = join(folder, "other");
  await openOwnCa(other, now);
  writeFileSync(join(other, "tls", "ca.pem"), "mine");
  await expect(openOwnCa(other, now)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  expect(readFileSync(join(other, "tls", "ca.pem"), "utf8")).toBe("mine");
});

needs("openssl")("openssl accepts the chain, strictly, and knows the purpose and the names", async () => {
  const ca = await openOwnCa(folder, now);
  const caFile = join(folder, "ca.crt");
  const file = join(folder, "server.crt");
  writeFileSync(caFile, ca.certificate);
  writeFileSync(file, ca.issue(names, now).cert);
  const verify = async (...more: string[]): Promise<number> => {
    const at = String(now / 1000 + 3600);
    const args = [
      "verify",
      "-x509_strict",
      "-purpose",
      "sslserver",
      "-attime",
      at,
      "-CAfile",
      caFile,
      ...more,
      file,
    ];
    return Bun.spawn(["openssl", ...args], { stdout: "ignore", stderr: "ignore" }).exited;
  };
  expect(await verify("-verify_hostname", "registry.example.org")).toBe(0);
  expect(await verify("-verify_ip", "2001:db8::10")).toBe(0);
  expect(await verify("-verify_hostname", "evil.example.org")).not.toBe(0);
});
