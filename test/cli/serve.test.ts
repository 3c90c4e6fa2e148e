/** `wharf serve` as people start and stop it: the launcher, signals, exit codes, the files that scripts read. */
import { afterAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { needs } from "../support/programs.ts";
import { runWharf } from "../support/run-cli.ts";
import { mustRun } from "../support/run-program.ts";
import { createScratch } from "../support/scratch.ts";
import { until } from "../support/until.ts";

const scratch = createScratch("serve");
const root = join(import.meta.dir, "../..");
const children: Bun.Subprocess[] = [];
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map((child) => child.exited));
  scratch.remove();
});

function serve(args: readonly string[]) {
  const child = Bun.spawn([join(root, "bin/wharf"), "serve", "--listen", "127.0.0.1:0", ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: scratch.path },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  children.push(child);
  return child;
}

const readAddress = (dataDir: string): Promise<string> =>
  until("the address file", () => {
    const file = join(dataDir, "address");
    return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
  });

test("it says where it listens, who the admin is and what to type, and stops at SIGTERM", async () => {
  const dataDir = scratch.at("data");
  const child = serve(["--data", dataDir]);
  const address = await readAddress(dataDir);
  expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
  const passwordFile = join(dataDir, "admin-password");
  expect(statSync(passwordFile).mode & 0o777).toBe(0o600);

  const again = await runWharf(["serve", "--data", dataDir, "--listen", address]);
  expect(again.code).toBe(1);
  expect(again.err).toMatch(/^error: starting the registry: .* is taken by wharf \(process \d+\)$/m);
  expect(again.err).toContain("hint: a registry of this data folder listens there already");

  child.kill("SIGTERM");
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect(code).toBe(0);
  expect(out).toContain(`Wharfinger serves http://${address}\n`);
  expect(out).toContain(`password in ${passwordFile}`);
  expect(out).toContain(`bin/wharf sign-in http://${address} -u admin --password-stdin < ${passwordFile}\n`);
  expect(
    err
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).message),
  ).toEqual(["listening", "stopping", "stopped"]);
  expect(out + err).not.toContain(readFileSync(passwordFile, "utf8").trim());
  expect(existsSync(join(dataDir, "address"))).toBe(false);
}, 60_000);

test("the commands that it prints work as they are typed", async () => {
  const dataDir = scratch.at("typed data");
  const child = serve(["--data", dataDir, "--tls", "auto"]);
  await readAddress(dataDir);
  const reader = child.stdout.getReader();
  let out = "";
  await until("the last line", async () => {
    out += new TextDecoder().decode((await reader.read()).value);
    return out.endsWith("Ctrl-C.\n") ? true : undefined;
  });
  const commands = out.split("\n").flatMap((line) => /^ {2}(bin\/wharf .*)$/.exec(line)?.[1] ?? []);
  expect(commands.map((command) => command.split(" ")[1])).toEqual(["sign-in", "project", "robot", "apply"]);
  // Not the last one: it would deliver to the programs of this machine.
  for (const command of commands.slice(0, -1)) {
    const typed = Bun.spawn(["sh", "-c", command], {
      cwd: root,
      env: { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: scratch.path },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    expect([command, await new Response(typed.stderr).text(), await typed.exited]).toEqual([
      command,
      expect.any(String),
      0,
    ]);
  }
  const password = readFileSync(join(dataDir, "admin-password"), "utf8").trim();
  expect(out).not.toContain(password);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
}, 60_000);

needs("openssl")(
  "SIGHUP reads the certificate files again",
  async () => {
    const [dataDir, cert, key] = [scratch.at("hangup"), scratch.at("tls.crt"), scratch.at("tls.key")];
    const make = async (): Promise<void> => {
      const args = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=wharf",
      ];
      await mustRun([
        "openssl",
        ...args,
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        key,
        "-out",
        cert,
      ]);
    };
    await make();
    const child = serve(["--data", dataDir, "--tls-cert", cert, "--tls-key", key]);
    const address = await readAddress(dataDir);
    const reach = (): Promise<true | undefined> =>
      fetch(`https://${address}/healthz`, { keepalive: false, tls: { ca: readFileSync(cert, "utf8") } }).then(
        () => true,
        () => undefined,
      );
    expect(await reach()).toBe(true);
    await make();
    expect(await reach()).toBeUndefined();
    child.kill("SIGHUP");
    await until("the new certificate", reach);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  },
  60_000,
);

test("a second signal does not wait for requests", async () => {
  const dataDir = scratch.at("hurried");
  const child = serve(["--data", dataDir, "--stop-seconds", "600"]);
  const address = await readAddress(dataDir);
  const login = `admin:${readFileSync(join(dataDir, "admin-password"), "utf8").trim()}`;
  const authorization = `Basic ${Buffer.from(login).toString("base64")}`;
  const made = await fetch(`http://${address}/api/v1/projects`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ name: "team", visibility: "private" }),
  });
  expect(made.status).toBe(201);

  const [host = "", port = ""] = address.split(":");
  const socket = createConnection(Number(port), host);
  socket.on("error", () => undefined);
  socket.resume();
  // An upload whose body never ends.
  const digest = `sha256:${"0".repeat(64)}`;
  const head = `POST /v2/team/a/blobs/uploads/?digest=${digest} HTTP/1.1\r\nhost: ${address}\r\nauthorization: ${authorization}`;
  socket.write(`${head}\r\ncontent-length: 100000000\r\n\r\nabc`);
  await until("the upload has begun", () =>
    readdirSync(join(dataDir, "uploads")).length > 0 ? true : undefined,
  );

  child.kill("SIGTERM");
  await until("the address file is gone", () => (existsSync(join(dataDir, "address")) ? undefined : true));
  // What comes at once is the same signal sent twice, by `timeout` or npm.
  child.kill("SIGTERM");
  expect(child.exitCode).toBeNull();
  await until("an end", () => {
    child.kill("SIGINT");
    return child.exitCode ?? undefined;
  });
  expect(child.exitCode).toBe(130);
  socket.destroy();
}, 60_000);

test("refusals name what to do, and exit 2", async () => {
  const data = ["--data", scratch.at("refused")];
  const open = await runWharf(["serve", ...data, "--listen", "0.0.0.0:0"]);
  expect([open.code, open.out]).toEqual([2, ""]);
  expect(open.err).toContain("hint: add --tls auto");
  const file = scratch.at("serve.yaml");
  await Bun.write(file, "listen: 127.0.0.1:0\nmetric: admin\n");
  const config = await runWharf(["serve", ...data, "-c", file, "--json"]);
  expect(config.code).toBe(2);
  expect(JSON.parse(config.out)).toMatchObject({
    error: { code: "CONFIG_INVALID", hint: "did you mean metrics?", details: { line: 2 } },
  });
  expect(existsSync(scratch.at("refused"))).toBe(false);
}, 60_000);

test("options come from the file where the command line says nothing", async () => {
  const dataDir = scratch.at("from-file");
  const file = scratch.at("good.yaml");
  await Bun.write(file, `data: ${dataDir}\nlisten: 256.256.256.256:1\nlog-level: error\n`);
  const child = serve(["-c", file, "--json"]);
  const address = await readAddress(dataDir);
  child.kill("SIGINT");
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect([code, err]).toEqual([0, ""]);
  expect(JSON.parse(out)).toMatchObject({
    address,
    url: `http://${address}`,
    dataDir,
    admin: { username: "admin" },
  });
}, 60_000);
