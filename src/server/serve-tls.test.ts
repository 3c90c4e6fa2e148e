/** A server with TLS: trusted by its own CA alone, its certificates renewed and replaced while it runs. */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { type Clock, systemClock } from "#system";
import { needs, programPath } from "../../test/support/programs.ts";
import { useServers } from "../../test/support/use-servers.ts";

const it = useServers();
const { start } = it;

needs("curl", "openssl")("--tls auto: curl trusts the server by its ca.crt and by nothing else", async () => {
  const { server, dataDir } = await start({ tls: "auto", url: "https://localhost" });
  const caFile = it.scratch.at("fetched-ca.crt");
  const port = server.address.split(":")[1];
  const curl = async (...args: string[]): Promise<{ code: number; text: string }> => {
    const child = Bun.spawn([programPath("curl"), "-sS", "--noproxy", "*", ...args], {
      stdout: "pipe",
      stderr: "ignore",
    });
    return { text: await new Response(child.stdout).text(), code: await child.exited };
  };
  const at = (host: string, path: string): string => `https://${host}:${port}${path}`;
  const untrusted = await curl(at("localhost", "/healthz"));
  expect(untrusted.code).toBe(60);
  writeFileSync(caFile, (await curl("-k", at("localhost", "/ca.crt"))).text);
  expect(readFileSync(caFile, "utf8")).toBe(readFileSync(join(dataDir, "tls", "ca.crt"), "utf8"));
  expect(server.caFingerprint).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  for (const host of ["localhost", "127.0.0.1"])
    expect(await curl("--cacert", caFile, at(host, "/healthz"))).toEqual({ code: 0, text: "ok\n" });
  expect((await curl("--cacert", caFile, "--tls-max", "1.1", at("localhost", "/healthz"))).code).not.toBe(0);
  expect((await curl("--cacert", caFile, `http://localhost:${port}/healthz`)).text).not.toBe("ok\n");
  await server.stop();
});

test("--tls auto: the server's certificate is renewed 30 days before its end, by the same CA, without a restart", async () => {
  const DAY_MS = 86_400_000;
  // Begun 65 days ago, so that all its certificates are good today, by which they are looked at.
  let ago = 65;
  const clock: Clock = { ...systemClock, now: () => Date.now() - ago * DAY_MS };
  const { server, dataDir, lines } = await start({ tls: "auto" }, clock);
  const ca = readFileSync(join(dataDir, "tls", "ca.crt"), "utf8");
  const shown = async (): Promise<{ readonly fingerprint: string; readonly daysLeft: number }> => {
    const [host = "", port] = server.address.split(":");
    const { promise, resolve, reject } = Promise.withResolvers<PeerCertificate>();
    const socket = connectTls({ host, port: Number(port), ca, rejectUnauthorized: true }, () =>
      resolve(socket.getPeerCertificate()),
    );
    socket.on("error", reject);
    try {
      const { fingerprint256, valid_to } = await promise;
      return {
        fingerprint: fingerprint256,
        daysLeft: Math.round((Date.parse(valid_to) - Date.now()) / DAY_MS),
      };
    } finally {
      socket.destroy();
    }
  };
  const first = await shown();
  expect(first.daysLeft).toBe(25);
  ago = 10;
  await server.reloadTls();
  expect(await shown()).toEqual(first);
  ago = 0;
  await server.reloadTls();
  const renewed = await shown();
  expect([renewed.fingerprint === first.fingerprint, renewed.daysLeft]).toEqual([false, 90]);
  expect(lines.join("")).toContain("new certificate in use");
  await server.stop();
});

needs("curl", "openssl")(
  "--tls-cert and --tls-key: a new certificate is used after a reload, a broken one is not",
  async () => {
    const [cert, key] = [it.scratch.at("tls.crt"), it.scratch.at("tls.key")];
    const make = async (name: string): Promise<void> => {
      const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
      const more = [
        "-keyout",
        key,
        "-out",
        cert,
        "-subj",
        `/CN=${name}`,
        "-addext",
        `subjectAltName=DNS:${name}`,
      ];
      expect(await Bun.spawn([programPath("openssl"), ...args, ...more], { stderr: "ignore" }).exited).toBe(
        0,
      );
    };
    await make("one.example.org");
    const { server, lines } = await start({ "tls-cert": cert, "tls-key": key });
    const port = server.address.split(":")[1];
    const reaches = async (name: string): Promise<number> => {
      const args = ["-sS", "--noproxy", "*", "--cacert", cert, "--resolve", `${name}:${port}:127.0.0.1`];
      const url = `https://${name}:${port}/healthz`;
      return Bun.spawn([programPath("curl"), ...args, url], { stdout: "ignore", stderr: "ignore" }).exited;
    };
    expect(await reaches("one.example.org")).toBe(0);
    await make("two.example.org");
    await server.reloadTls();
    expect(await reaches("two.example.org")).toBe(0);
    const good = readFileSync(cert, "utf8");
    writeFileSync(cert, "half written");
    await server.reloadTls();
    writeFileSync(cert, good);
    expect(await reaches("two.example.org")).toBe(0);
    expect(lines.join("")).toContain("the old one stays");
    expect(lines.join("")).not.toContain("PRIVATE KEY");
    await server.stop();
    writeFileSync(cert, "half written");
    await expect(start({ "tls-cert": cert, "tls-key": key })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  },
);
