/** wharf as it is started: through bin/wharf, as the single executable, and from the packed archive in an empty folder. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRegistryClient } from "#client";
import { Secret, silentLogger, version } from "#core";
import { createFetch } from "#system";

const root = join(import.meta.dir, "../..");
const line = `wharf ${version} (bun ${Bun.version}, ${process.platform}-${process.arch})\n`;
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wharf-launcher-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(command: readonly string[], cwd: string, env: Record<string, string> = {}) {
  const child = Bun.spawn([...command], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: folder, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

/** A folder whose files would turn a Bun that reads them into somebody else's program. */
function hostileFolder(): string {
  const hostile = mkdtempSync(join(folder, "hostile-"));
  writeFileSync(join(hostile, "evil.ts"), 'process.stderr.write("EVIL\\n"); process.exit(66);\n');
  writeFileSync(join(hostile, ".env"), "WHARF_LOG=debug\n");
  writeFileSync(join(hostile, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
  writeFileSync(join(hostile, ".bunfig.toml"), 'preload = ["./evil.ts"]\n');
  const paths = { "#cli": ["./evil.ts"], "#core": ["./evil.ts"] };
  writeFileSync(join(hostile, "tsconfig.json"), JSON.stringify({ compilerOptions: { paths } }));
  const imports = { "#cli": "./evil.ts", "#core": "./evil.ts" };
  writeFileSync(join(hostile, "package.json"), JSON.stringify({ imports }));
  return hostile;
}

async function expectUnsteered(command: readonly string[]): Promise<void> {
  const hostile = hostileFolder();
  const env = { HOME: hostile, XDG_CONFIG_HOME: hostile };
  expect(await run([...command, "version"], hostile, env)).toEqual({ out: line, err: "", code: 0 });
  // With WHARF_LOG=debug a failing command logs: that is how a .env that was read would show.
  const failed = await run([...command, "versoin"], hostile, env);
  expect(failed.err).toBe(
    `error: there is no command 'wharf versoin'\nhint: did you mean '${command.join(" ")} version'?\n`,
  );
  const debugged = await run([...command, "versoin"], hostile, { ...env, WHARF_LOG: "debug" });
  expect(debugged.err).toContain("debug");
}

/** Large blobs are hashed by a worker, whose file the executable must find in itself. */
async function expectWorkers(executable: string): Promise<void> {
  const data = join(folder, "data");
  const child = Bun.spawn(
    [executable, "serve", "--listen", "127.0.0.1:0", "--data", data, "--log-level", "error"],
    {
      env: { PATH: process.env.PATH ?? "", HOME: folder },
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  try {
    await child.stdout.getReader().read();
    const registry = readFileSync(join(data, "address"), "utf8").trim();
    const secret = new Secret(readFileSync(join(data, "admin-password"), "utf8").trim());
    const made = await fetch(`http://${registry}/api/v1/projects`, {
      method: "POST",
      headers: {
        authorization: `Basic ${btoa(`admin:${secret.reveal()}`)}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ name: "team" }),
    });
    expect(made.status).toBe(201);
    const client = createRegistryClient({
      registry,
      credentials: { username: "admin", secret },
      fetch: createFetch({ environment: {}, userAgent: "wharf-test" }),
    });
    const content = new Blob([new Uint8Array(20_000_000).fill(7)]);
    const digest = `sha256:${new Bun.CryptoHasher("sha256").update(await content.bytes()).digest("hex")}`;
    const context = { signal: new AbortController().signal, log: silentLogger };
    const sent = await client.uploadBlob(context, "team/app", { digest, sizeBytes: content.size, content });
    expect(sent).toBe("sent");
    expect(await client.hasBlob(context, "team/app", digest)).toBe(true);
  } finally {
    child.kill();
    expect(await child.exited).toBe(0);
  }
}

test("bin/wharf runs through links, from any folder", async () => {
  symlinkSync(join(root, "bin/wharf"), join(folder, "one"));
  symlinkSync("one", join(folder, "two"));
  expect(await run([join(folder, "two"), "version"], "/")).toEqual({ out: line, err: "", code: 0 });
  expect(await run(["./two", "version"], folder)).toEqual({ out: line, err: "", code: 0 });
});

test("wharf leaves nothing in the caller's home", async () => {
  const home = mkdtempSync(join(folder, "home-"));
  await run([join(root, "bin/wharf"), "--help"], home, { HOME: home });
  expect(readdirSync(home)).toEqual([]);
});

test("nothing that lies in the caller's folder or home steers bin/wharf", async () => {
  await expectUnsteered([join(root, "bin/wharf")]);
});

test("npm run build makes one executable, which nothing in the caller's folder steers", async () => {
  const executable = join(folder, "built", "wharf");
  const built = await run(["npm", "run", "--silent", "build", "--", "--outfile", executable], root);
  expect(built).toMatchObject({ code: 0 });
  expect(built.out).toContain(executable);
  await expectUnsteered([executable]);
  // All rooms in one: registry, API, vault, delivery, client.
  const home = mkdtempSync(join(folder, "home-"));
  const demo = await run([executable, "demo", "--json"], home, { HOME: home });
  expect({ code: demo.code, err: demo.err, left: readdirSync(home) }).toEqual({ code: 0, err: "", left: [] });
  await expectWorkers(executable);
});

test("npm pack's archive, installed in an empty folder elsewhere, gives a wharf that runs", async () => {
  const packed = await run(["npm", "pack", "--silent", "--pack-destination", folder], root);
  expect(packed).toMatchObject({ code: 0 });
  const target = join(folder, "elsewhere");
  mkdirSync(target);
  const archive = join(folder, packed.out.trim());
  const installed = await run(
    ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", archive],
    target,
    { npm_config_cache: await npmCache() },
  );
  expect(installed).toMatchObject({ code: 0 });
  await expectUnsteered([join(target, "node_modules/.bin/wharf")]);
  const demo = await run([join(target, "node_modules/.bin/wharf"), "demo", "--json"], target);
  expect({ code: demo.code, err: demo.err }).toEqual({ code: 0, err: "" });
}, 180_000);

/** The caller's own cache, so that what is there already is not fetched again; HOME is the test's. */
async function npmCache(): Promise<string> {
  const child = Bun.spawn(["npm", "config", "get", "cache"], { stdout: "pipe", stderr: "ignore" });
  return (await new Response(child.stdout).text()).trim();
}
