/** The management commands against a real server on loopback: what a person types, and what a script reads. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { type InProcessResult, runCli } from "../support/run-cli.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

let server: TestServer;
let scratch: Scratch;

beforeAll(async () => {
  server = await startTestServer();
  scratch = createScratch("manage");
});
afterAll(async () => {
  await server.stop();
  scratch.remove();
});

/** As a person with a home of their own. */
async function wharf(
  person: string,
  args: readonly string[],
  more: { readonly input?: string; readonly answers?: readonly string[] } = {},
): Promise<InProcessResult> {
  return runCli(args, { ...more, env: { HOME: scratch.at(person) }, cwd: scratch.path });
}

async function done(person: string, args: readonly string[], input?: string): Promise<InProcessResult> {
  const result = await wharf(person, args, input === undefined ? {} : { input });
  expect({ args, code: result.code, err: result.code === 0 ? "" : result.err }).toEqual({
    args,
    code: 0,
    err: "",
  });
  return result;
}

async function refused(person: string, args: readonly string[], code: number): Promise<string> {
  const result = await wharf(person, args);
  expect({ args, code: result.code, out: result.out }).toEqual({ args, code, out: "" });
  return result.err;
}

const signInFile = (person: string): string => scratch.at(person, ".config/wharf/sign-ins.json");

async function statusOf(username: string, secret: string): Promise<number> {
  return (await server.fetch("/api/v1/whoami", { as: { username, secret } })).status;
}

test("without a sign-in, a command says how to get one", async () => {
  expect(await refused("nobody", ["project", "list"], 4)).toContain("hint: sign in first: wharf sign-in URL");
});

test("signing in makes a token, keeps it for its owner alone, and forgets the password", async () => {
  const { err, out } = await done(
    "root",
    ["sign-in", server.url, "-u", "admin", "--password-stdin"],
    `${server.admin.secret}\n`,
  );
  expect(out).toBe("");
  expect(err).toContain(`signed in to ${server.url} as admin`);
  const text = readFileSync(signInFile("root"), "utf8");
  expect(statSync(signInFile("root")).mode & 0o777).toBe(0o600);
  expect(text).not.toContain(server.admin.secret);
  const [entry] = JSON.parse(text).signIns;
  expect(await statusOf("admin", entry.secret)).toBe(200);
  expect(err).not.toContain(entry.secret);

  await done("root", ["sign-in", server.url, "-u", "admin", "--password-stdin"], server.admin.secret);
  // The token before is revoked, not left lying.
  expect(await statusOf("admin", entry.secret)).toBe(401);
});

test("a wrong password and an address that would show it are refused, and nothing is kept", async () => {
  const wrong = await wharf("eve", ["sign-in", server.url, "-u", "admin"], { answers: ["not the password"] });
  expect([wrong.code, wrong.questions.map((question) => question.hidden)]).toEqual([4, [true]]);
  const plain = await wharf(
    "eve",
    ["sign-in", "http://registry.example.org", "-u", "admin", "--password-stdin"],
    {
      input: "x",
    },
  );
  expect([plain.code, plain.err.includes("plain HTTP would show the password")]).toEqual([2, true]);
  expect(existsSync(signInFile("eve"))).toBe(false);
});

test("projects: made, listed, shown, changed, deleted", async () => {
  const made = await done("root", ["project", "create", "team-a", "--description", "for tests"]);
  expect(made.out).toBe("");
  expect(made.err).toContain("made the private project team-a");
  const list = await done("root", ["project", "list"]);
  expect(list.out.split("\n")[1]).toMatch(/^team-a +private +owner +\d{4}-\d\d-\d\d +for tests$/);
  expect(JSON.parse((await done("root", ["project", "list", "--json"])).out).items[0].name).toBe("team-a");
  await done("root", ["project", "update", "team-a", "--public"]);
  expect(JSON.parse((await done("root", ["project", "show", "team-a", "--json"])).out)).toMatchObject({
    visibility: "public",
    repositories: [],
  });
  expect(await refused("root", ["project", "update", "team-a"], 2)).toContain("nothing to change was said");
  expect(await refused("root", ["project", "create", "team-a"], 1)).toContain(
    "there is a project team-a already",
  );
  await done("root", ["project", "create", "short-lived"]);
  expect(await refused("root", ["project", "delete", "short-lived"], 2)).toContain("--yes");
  const kept = await wharf("root", ["project", "delete", "short-lived"], { answers: ["n"] });
  expect([kept.code, kept.err.includes("left as it was")]).toEqual([130, true]);
  await done("root", ["project", "delete", "short-lived", "--yes"]);
  expect(await refused("root", ["project", "show", "short-lived"], 1)).toContain(
    "wharf project create short-lived",
  );
});

test("users and members: made with a password, let into a project, disabled, deleted", async () => {
  const password = `pass-${crypto.randomUUID()}`;
  await done("root", ["user", "create", "alice", "--password-stdin"], password);
  await done("root", ["user", "create", "carol", "--no-password"]);
  await done("alice", ["sign-in", server.url, "-u", "alice", "--password-stdin"], password);
  await done("root", ["project", "update", "team-a", "--private"]);
  expect(await refused("alice", ["project", "show", "team-a"], 1)).toContain("wharf project create team-a");
  await done("root", ["member", "add", "team-a", "alice", "--role", "developer"]);
  expect((await done("alice", ["member", "list", "team-a"])).out).toMatch(/alice +developer/);
  expect(await refused("alice", ["member", "add", "team-a", "carol"], 4)).toContain("you may not");
  expect(await refused("alice", ["user", "list"], 4)).toContain("you may not");
  expect((await done("root", ["user", "list"])).out).toMatch(/alice +no +active/);
  expect((await done("alice", ["user", "show"])).out).toMatch(/alice +no +active/);

  const next = `pass-${crypto.randomUUID()}`;
  await done("alice", ["user", "password", "--password-stdin"], `${password}\n${next}\n`);
  expect([await statusOf("alice", password), await statusOf("alice", next)]).toEqual([401, 200]);
  await done("root", ["user", "update", "alice", "--disable"]);
  expect(await refused("alice", ["project", "list"], 4)).toContain("this user or robot is disabled");
  await done("root", ["user", "update", "alice", "--enable"]);
  await done("root", ["member", "remove", "team-a", "alice"]);
  await done("root", ["user", "delete", "carol", "--yes"]);
});

test("a robot's secret is alone on standard output, once; tokens overlap and are revoked", async () => {
  const made = await done("root", ["robot", "create", "team-a/ci", "--action", "pull", "--action", "push"]);
  expect(made.out).toMatch(/^wharf_[A-Za-z0-9_-]{32}\n$/);
  const secret = made.out.trim();
  expect(made.err).toContain("username robot-team-a-ci");
  expect(made.err).not.toContain(secret);
  expect(await statusOf("robot-team-a-ci", secret)).toBe(200);

  const second = await done("root", ["token", "create", "2027", "--robot", "team-a/ci", "--json"]);
  const token = JSON.parse(second.out);
  expect(await statusOf("robot-team-a-ci", token.secret)).toBe(200);
  const list = await done("root", ["token", "list", "--robot", "team-a/ci", "--json"]);
  const [first] = JSON.parse(list.out).items;
  await done("root", ["token", "delete", String(first.id), "--robot", "team-a/ci"]);
  expect([
    await statusOf("robot-team-a-ci", secret),
    await statusOf("robot-team-a-ci", token.secret),
  ]).toEqual([401, 200]);
  await done("root", ["token", "update", String(token.id), "--name", "next", "--robot", "team-a/ci"]);
  expect((await done("root", ["token", "show", String(token.id), "--robot", "team-a/ci"])).out).toContain(
    "next",
  );
  expect((await done("root", ["robot", "list", "team-a"])).out).toMatch(
    /team-a\/ci +robot-team-a-ci +pull, push/,
  );
  await done("root", ["robot", "update", "team-a/ci", "--action", "pull", "--disable"]);
  expect(await statusOf("robot-team-a-ci", token.secret)).toBe(401);
  expect((await done("root", ["robot", "show", "team-a/ci"])).out).toMatch(/pull +team-a +disabled/);
  await done("root", ["robot", "delete", "team-a/ci", "--yes"]);
  for (const line of server.logLines)
    for (const value of [secret, token.secret]) expect(line).not.toContain(value);
});

test("a robot of the site is saved as a login: secret in the vault, none on the screen", async () => {
  const made = await done("root", [
    "robot",
    "create",
    "node",
    "--project",
    "team-a",
    "--save-as",
    "nodes",
    "--json",
  ]);
  const document = JSON.parse(made.out);
  expect(document).toMatchObject({ username: "robot-node", projects: ["team-a"], savedAs: "nodes" });
  expect(made.out + made.err).not.toMatch(/wharf_[A-Za-z0-9_-]{32}/);
  const config = readFileSync(document.config, "utf8");
  expect(config).toContain("username: robot-node");
  expect(config).toContain(`registry: ${server.address}`);
  expect(config).not.toContain("wharf_");
  expect(readFileSync(document.vault, "utf8")).not.toContain("wharf_");
  const logins = await done("root", ["logins", "--json"]);
  expect(logins.out).toContain("nodes");
  // A name that cannot be a login's: nothing is left behind on the registry either.
  const bad = await wharf("root", ["robot", "create", "team-a/x", "--save-as", "no/name"]);
  expect(bad.code).toBe(1);
  expect((await done("root", ["robot", "list", "team-a", "--json"])).out).toBe('{"items":[]}\n');
});

test("a token made by a sign-in does not outlive it", async () => {
  expect(await refused("root", ["token", "create", "long", "--expires-in-days", "3650"], 4)).toContain(
    "outlives it",
  );
  const made = await done("root", ["token", "create", "short", "--expires-in-days", "1"]);
  expect(made.out).toMatch(/^wharf_/);
});

test("signing out revokes the token and forgets it", async () => {
  const [entry] = JSON.parse(readFileSync(signInFile("root"), "utf8")).signIns;
  await done("root", ["sign-out"]);
  expect(await statusOf("admin", entry.secret)).toBe(401);
  expect(JSON.parse(readFileSync(signInFile("root"), "utf8")).signIns).toEqual([]);
  await refused("root", ["project", "list"], 4);
});
