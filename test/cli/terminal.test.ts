/** wharf at a terminal: hidden questions, yes and no, Ctrl-C; and with a reader that goes away. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestServer, type TestLogin, type TestServer } from "../support/test-server.ts";

const wharf = join(import.meta.dir, "../../bin/wharf");
let home = "";
let server: TestServer;
let robot: TestLogin;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "wharf-terminal-"));
  server = await startTestServer();
  await server.createProject("team");
  robot = await server.createRobot("team", "ci");
});
afterAll(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Runs wharf at a pseudo-terminal; answers each question when its last words appear. */
async function atTerminal(
  args: readonly string[],
  answers: readonly (readonly [question: string, typed: string])[],
) {
  let shown = "";
  let next = 0;
  const child = Bun.spawn([wharf, ...args], {
    cwd: home,
    env: { PATH: process.env.PATH ?? "", HOME: home, TERM: "xterm" },
    terminal: {
      cols: 120,
      rows: 40,
      data(terminal, bytes) {
        shown += Buffer.from(bytes).toString();
        const [question, typed] = answers[next] ?? [];
        if (question === undefined || typed === undefined || !shown.endsWith(question)) return;
        next++;
        terminal.write(typed);
      },
    },
  });
  const code = await child.exited;
  child.terminal?.close();
  return { code, shown, asked: next };
}

test("a secret is asked for and not shown; what was typed is what is sealed", async () => {
  const login = ["login", server.address, "-u", robot.username, "--as", "team"];
  // One character too many, taken back again.
  const { code, shown } = await atTerminal(login, [[`${server.address}: `, `${robot.secret}x\u007f\r`]]);
  expect(shown).toContain("added login team");
  expect(code).toBe(0);
  expect(shown).not.toContain(robot.secret.slice(0, 12));
  expect(shown).not.toContain("*");
});

test("apply shows the plan and asks; no is no", async () => {
  const config = join(home, ".config/wharf/wharf.yaml");
  await Bun.write(config, `${readFileSync(config, "utf8")}deliver:\n  - { to: docker, at: local }\n`);
  const refused = await atTerminal(["apply"], [["[Y/n] ", "n\r"]]);
  expect(refused).toMatchObject({ code: 0, asked: 1 });
  expect(await Bun.file(join(home, ".docker/config.json")).exists()).toBe(false);
  const done = await atTerminal(["apply"], [["[Y/n] ", "\r"]]);
  expect(done).toMatchObject({ code: 0, asked: 1 });
  expect(await Bun.file(join(home, ".docker/config.json")).exists()).toBe(true);
});

test("Ctrl-C and Ctrl-D at a hidden question end with 130", async () => {
  const login = ["login", server.address, "-u", robot.username];
  expect(await atTerminal(login, [[`${server.address}: `, "abc\u0003"]])).toMatchObject({
    code: 130,
    asked: 1,
  });
});

test("Ctrl-D and Ctrl-C at a question that is shown end with 130", async () => {
  for (const key of ["\u0004", "\u0003"]) {
    const asked = await atTerminal(["login", "registry.example"], [["registry.example: ", key]]);
    expect(asked).toMatchObject({ code: 130, asked: 1 });
  }
});

test("colours at a terminal, and none with --no-color", async () => {
  expect((await atTerminal(["plan", "-c", "none.yaml"], [])).shown).toContain("\u001b[31merror:");
  expect((await atTerminal(["plan", "-c", "none.yaml", "--no-color"], [])).shown).toStartWith("error:");
});

test("a reader that goes away ends nothing in a mess", async () => {
  const child = Bun.spawn(["sh", "-c", `"$0" --help | head -n 1; "$0" completion bash | true`, wharf], {
    env: { PATH: process.env.PATH ?? "", HOME: home },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect({ out, err, code: await child.exited }).toEqual({
    out: "usage: wharf <command> [options]\n",
    err: "",
    code: 0,
  });
});
