/** bin/wharf's first start in a checkout: what is missing is installed once, whoever else starts meanwhile, and a failure says what to do. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needs } from "../support/programs.ts";

const root = join(import.meta.dir, "../..");
let checkout = "";

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "wharf-checkout-"));
  cpSync(join(root, "bin"), join(checkout, "bin"), { recursive: true });
  writeFileSync(join(checkout, "package-lock.json"), "{}\n");
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

/** An npm of the test's own: counts how often it was called, and "installs" a Bun that prints what it was given. */
function writeNpm(script: string): void {
  const folder = join(checkout, "tools");
  mkdirSync(folder);
  writeFileSync(join(folder, "npm"), `#!/bin/sh\necho called >> "${checkout}/npm-calls"\n${script}\n`);
  chmodSync(join(folder, "npm"), 0o755);
}

const INSTALL = `
for name in linux-x64 linux-x64-baseline linux-aarch64 linux-x64-musl linux-aarch64-musl darwin-x64 darwin-aarch64; do
  mkdir -p "node_modules/@oven/bun-$name/bin"
  printf '#!/bin/sh\\necho "$@"\\n' > "node_modules/@oven/bun-$name/bin/bun"
  chmod +x "node_modules/@oven/bun-$name/bin/bun"
done
echo "noise of npm"`;

async function start(...args: string[]) {
  const child = Bun.spawn([join(checkout, "bin/wharf"), ...args], {
    cwd: "/",
    env: { PATH: `${join(checkout, "tools")}:/usr/bin:/bin`, HOME: checkout },
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

const calls = (): number => readFileSync(join(checkout, "npm-calls"), "utf8").split("\n").length - 1;

test("the first start installs, says so on standard error alone, and gives every argument on", async () => {
  writeNpm(INSTALL);
  const first = await start("plan", "a b", "--json");
  expect(first).toMatchObject({ code: 0 });
  expect(first.out).toEndWith("src/main.ts plan a b --json\n");
  expect(first.out).toStartWith("--no-env-file --config=/dev/null --no-install ");
  expect(first.err).toContain("wharf: installing npm packages (once) ...");
  expect(first.err).toContain("noise of npm");
  expect(await start("plan")).toMatchObject({ code: 0, err: "" });
  expect(calls()).toBe(1);
});

test("a lockfile that changed is installed again", async () => {
  writeNpm(INSTALL);
  await start("plan");
  writeFileSync(join(checkout, "package-lock.json"), '{"changed":true}\n');
  expect((await start("plan")).code).toBe(0);
  expect(calls()).toBe(2);
});

needs("flock")("several first starts at once install once", async () => {
  writeNpm(`sleep 0.3\n${INSTALL}`);
  const ended = await Promise.all([start("one"), start("two"), start("three")]);
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(calls()).toBe(1);
});

test("an install that fails says what to do, and the next start tries again", async () => {
  writeNpm("echo broken >&2; exit 1");
  const failed = await start("plan");
  expect(failed).toMatchObject({ code: 1, out: "" });
  expect(failed.err).toContain("error: installing npm packages: npm ci failed");
  expect(failed.err).toContain("hint: ");
  await start("plan");
  expect(calls()).toBe(2);
});

test("a machine for which npm brought no Bun is told so", async () => {
  writeNpm("mkdir -p node_modules");
  const { code, err } = await start("plan");
  expect(code).toBe(1);
  expect(err).toContain("error: starting wharf: no Bun for this machine");
});
