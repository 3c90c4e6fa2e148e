import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../support/run-cli.ts";

const demoFolders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("wharf-demo-"));

test("the demo walks the whole way, shows no secret and leaves nothing behind", async () => {
  const home = mkdtempSync(join(tmpdir(), "wharf-demo-caller-"));
  const before = demoFolders();
  const { code, out, err } = await runCli(["demo"], {
    cwd: home,
    env: { HOME: home, PATH: process.env.PATH ?? "" },
  });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  for (const words of [
    "$ wharf serve",
    "$ wharf project create team",
    "wharf login 127.0.0.1:",
    "$ wharf apply --yes",
    "pushed as robot-team-ci: sha256:",
    "pulled, the same: sha256:",
    "without the login: refused",
    "$ wharf why 127.0.0.1:",
    "refused team: docker knows one login",
  ])
    expect(out).toContain(words);
  expect(out).not.toMatch(/wharf_[A-Za-z0-9_-]{20}/);
  expect(readdirSync(home)).toEqual([]);
  rmSync(home, { recursive: true });
  expect(demoFolders().filter((name) => !before.includes(name))).toEqual([]);
});

test("an interrupted demo leaves nothing behind either", async () => {
  const before = demoFolders();
  const stop = new AbortController();
  const running = runCli(["demo"], { env: { PATH: process.env.PATH ?? "" }, signal: stop.signal });
  stop.abort();
  expect((await running).code).toBe(130);
  expect(demoFolders().filter((name) => !before.includes(name))).toEqual([]);
});

test("with --json the demo is one document of its steps", async () => {
  const { code, out } = await runCli(["demo", "--json"], { env: { PATH: process.env.PATH ?? "" } });
  expect(code).toBe(0);
  const { steps } = JSON.parse(out);
  expect(steps.length).toBeGreaterThan(6);
  expect(steps.at(-1)).toMatchObject({ command: "wharf plan", code: 3 });
});
