import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, Secret, silentLogger } from "#core";
import { deleteLogin, readConfig, type Surroundings, saveLogin } from "#logins";
import { applyPlan } from "./apply.ts";
import type { Plan, TargetOutcome } from "./contract.ts";
import { openDelivery } from "./open-delivery.ts";
import { planDelivery } from "./plan.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
let folder: string;
let home: string;
let here: Surroundings;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wharf-apply-"));
  home = join(folder, "home");
  mkdirSync(home, { mode: 0o700 });
  here = { env: { HOME: home, PATH: join(folder, "no-programs") }, cwd: folder };
  writeFileSync(
    join(folder, "wharf.yaml"),
    "version: 1\nlogins: {}\ndeliver:\n  - { to: docker, at: local }\n",
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const dockerFile = (): string => join(home, ".docker", "config.json");
const stateFile = (): string => join(folder, "wharf.state");
const newSecret = (): Secret => new Secret(randomBytes(12).toString("hex"));

async function save(name: string, registry: string, secret = newSecret()): Promise<Secret> {
  await saveLogin(context, here, undefined, { name, registry, username: `${name}-user`, secret });
  return secret;
}

async function plan(): Promise<Plan> {
  return await planDelivery(context, await openDelivery(context, here, await readConfig(here)));
}

async function apply(): Promise<readonly TargetOutcome[]> {
  const input = await openDelivery(context, here, await readConfig(here), true);
  return await applyPlan(context, input, await planDelivery(context, input));
}

function auths(): Record<string, { auth?: string }> {
  return JSON.parse(readFileSync(dockerFile(), "utf8")).auths;
}

function pairOf(registry: string): string {
  return Buffer.from(auths()[registry]?.auth ?? "", "base64").toString();
}

function causes(made: Plan): unknown[] {
  return made.targets.flatMap((target) =>
    target.files.flatMap((file) => file.changes.map((change) => [change.key, change.action, change.cause])),
  );
}

test("delivers, and a second apply writes nothing at all", async () => {
  const secret = await save("a", "a.example");
  expect(causes(await plan())).toEqual([["a.example", "add", "new"]]);
  expect(existsSync(dockerFile())).toBe(false);
  expect((await apply()).map((outcome) => outcome.written.length)).toEqual([1]);
  expect(pairOf("a.example")).toBe(`a-user:${secret.reveal()}`);
  expect(statSync(dockerFile()).mode & 0o777).toBe(0o600);
  const before = [dockerFile(), stateFile(), join(folder, "wharf.vault")].map((path) => statSync(path));
  expect((await apply()).map((outcome) => outcome.written)).toEqual([[]]);
  const after = [dockerFile(), stateFile(), join(folder, "wharf.vault")].map((path) => statSync(path));
  expect(after.map(({ ino, mtimeMs }) => [ino, mtimeMs])).toEqual(
    before.map(({ ino, mtimeMs }) => [ino, mtimeMs]),
  );
});

test("a secret changed here is told from an entry changed there", async () => {
  await save("a", "a.example");
  await apply();
  await save("a", "a.example");
  expect(causes(await plan())).toEqual([["a.example", "update", "changed here"]]);
  await apply();
  const other = Buffer.from("a-user:typed-by-somebody").toString("base64");
  writeFileSync(dockerFile(), JSON.stringify({ auths: { "a.example": { auth: other } } }));
  expect(causes(await plan())).toEqual([["a.example", "update", "changed there"]]);
  rmSync(dockerFile());
  expect(causes(await plan())).toEqual([["a.example", "add", "changed there"]]);
});

test("what left wharf.yaml is pruned, foreign entries stay, and an emptied file goes", async () => {
  await save("a", "a.example");
  await save("b", "b.example");
  await apply();
  const mine = auths();
  writeFileSync(
    dockerFile(),
    JSON.stringify({ auths: { ...mine, "foreign.example": { auth: "eDp5" } }, extra: 1 }),
  );
  await deleteLogin(context, here, undefined, "a");
  expect(causes(await plan())).toEqual([
    ["b.example", "keep", undefined],
    ["a.example", "remove", "gone here"],
  ]);
  await apply();
  expect(Object.keys(auths())).toEqual(["b.example", "foreign.example"]);
  await deleteLogin(context, here, undefined, "b");
  await apply();
  expect(JSON.parse(readFileSync(dockerFile(), "utf8"))).toEqual({
    auths: { "foreign.example": { auth: "eDp5" } },
    extra: 1,
  });
  expect(JSON.parse(readFileSync(stateFile(), "utf8")).delivered).toEqual([]);
});

test("an entry that somebody changed since is not pruned with its login", async () => {
  await save("a", "a.example");
  await save("b", "b.example");
  await apply();
  const theirs = { ...auths(), "a.example": { auth: Buffer.from("me:mine").toString("base64") } };
  writeFileSync(dockerFile(), JSON.stringify({ auths: theirs }));
  await deleteLogin(context, here, undefined, "a");
  const [outcome] = await apply();
  expect(outcome?.warnings.map((warning) => warning.message).join()).toContain("was changed there");
  expect(pairOf("a.example")).toBe("me:mine");
  expect(readFileSync(stateFile(), "utf8")).not.toContain("a.example");
});

test("a delivery taken out of wharf.yaml is pruned, the login kept", async () => {
  await save("a", "a.example");
  await apply();
  const path = join(folder, "wharf.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace(/deliver:[^]*/, ""));
  await apply();
  expect(existsSync(dockerFile())).toBe(false);
});

test.each([
  ["kubernetes", "{ to: kubernetes, at: 'folder:out', name: mine, namespace: team }"],
  ["crio", "{ to: crio, at: 'folder:out', file: /etc/crio/other.json }"],
])(
  "a delivery with options to %s that left wharf.yaml is pruned only where it is unchanged",
  async (_, line) => {
    mkdirSync(join(folder, "out"));
    await save("a", "a.example");
    const path = join(folder, "wharf.yaml");
    const without = readFileSync(path, "utf8").replace(/deliver:[^]*/, "");
    const withDelivery = `${without}deliver:\n  - ${line}\n`;
    writeFileSync(path, withDelivery);
    await apply();
    const [first] = JSON.parse(readFileSync(stateFile(), "utf8")).delivered;
    const file = join(folder, "out", first.file);
    const old = readFileSync(file);
    await save("a", "a.example");
    await apply();
    const delivered = readFileSync(file);
    writeFileSync(path, without);
    // Somebody put the old secret back: that is theirs.
    writeFileSync(file, old);
    const [outcome] = await apply();
    expect(outcome?.warnings.map((warning) => warning.message).join()).toContain("was changed there");
    expect(readFileSync(file)).toEqual(old);

    writeFileSync(path, withDelivery);
    await apply();
    expect(readFileSync(file)).toEqual(delivered);
    writeFileSync(path, without);
    await apply();
    expect(existsSync(file)).toBe(false);
  },
);

test("a file that does not parse fails its target alone, and is not touched", async () => {
  mkdirSync(join(folder, "out"));
  await save("a", "a.example");
  writeFileSync(
    join(folder, "wharf.yaml"),
    `${readFileSync(join(folder, "wharf.yaml"), "utf8")}  - { to: docker, at: "folder:out" }\n  - { to: nomad, at: local }\n`,
  );
  mkdirSync(join(home, ".docker"), { mode: 0o700 });
  writeFileSync(dockerFile(), "{ broken");
  const outcomes = await apply();
  expect(outcomes.map((outcome) => [outcome.consumer, outcome.place, outcome.error?.code])).toEqual([
    ["docker", "local", "FILE_INVALID"],
    ["docker", "folder:out", undefined],
    ["nomad", "local", "UNSUPPORTED"],
  ]);
  expect(readFileSync(dockerFile(), "utf8")).toBe("{ broken");
  expect(statSync(join(folder, "out", ".docker", "config.json")).mode & 0o777).toBe(0o600);
});

test("a login whose source is out of reach is refused, and what was delivered of it stays", async () => {
  await save("b", "b.example");
  const path = join(folder, "wharf.yaml");
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    text.replace(
      "logins:\n",
      "logins:\n  e: { registry: e.example, username: u, password: { env: E_TOKEN } }\n",
    ),
  );
  here = { ...here, env: { ...here.env, E_TOKEN: "from-the-environment" } };
  await apply();
  expect(pairOf("e.example")).toBe("u:from-the-environment");
  here = { ...here, env: { ...here.env, E_TOKEN: undefined } };
  const [outcome] = await apply();
  expect(outcome?.refusals.map((refusal) => refusal.login)).toEqual(["e"]);
  expect(pairOf("e.example")).toBe("u:from-the-environment");
});

test("neither plan nor state shows a secret", async () => {
  const secret = await save("a", "a.example");
  const encoded = Buffer.from(`a-user:${secret.reveal()}`).toString("base64");
  const made = await plan();
  await apply();
  const shown = [
    Bun.inspect(made, { depth: 20 }),
    JSON.stringify(made),
    readFileSync(stateFile(), "utf8"),
  ].join("\n");
  expect(shown).not.toContain(secret.reveal());
  expect(shown).not.toContain(encoded);
});

test("a file that others may read is tightened, and one that is stricter than ours stays so", async () => {
  await save("a", "a.example");
  await apply();
  chmodSync(dockerFile(), 0o644);
  const [target] = (await plan()).targets;
  expect(target?.files[0]?.action).toBe("update");
  expect(target?.warnings.map((warning) => warning.message).join()).toContain("can be read by others");
  expect((await apply())[0]?.written.length).toBe(1);
  expect(statSync(dockerFile()).mode & 0o777).toBe(0o600);
  expect((await apply())[0]?.written.length).toBe(0);
  chmodSync(dockerFile(), 0o400);
  await save("a", "a.example");
  await apply();
  expect(statSync(dockerFile()).mode & 0o777).toBe(0o400);
});

test("users: of somebody who is not here, and of a folder, fail their target alone and say why", async () => {
  const mine = `:${process.geteuid?.()}:`;
  const me =
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((line) => line.includes(mine))
      ?.split(":")[0] ?? "";
  await save("a", "a.example");
  writeFileSync(
    join(folder, "wharf.yaml"),
    readFileSync(join(folder, "wharf.yaml"), "utf8").replace(
      /deliver:[^]*/,
      `deliver:\n  - { to: docker, at: local, users: { no-such-user-here: [a] } }\n  - { to: docker, at: "folder:x", users: { ann: [a] } }\n  - { to: docker, at: local, users: { ${me}: [a] } }\n`,
    ),
  );
  expect((await apply()).map((outcome) => [outcome.user, outcome.error?.code])).toEqual([
    ["no-such-user-here", "NOT_FOUND"],
    ["ann", "UNSUPPORTED"],
    [me, undefined],
  ]);
  expect(pairOf("a.example")).toStartWith("a-user:");
});

test("a refusal takes nothing away: what was delivered stays until it is mended, and only what left goes", async () => {
  await save("a", "a.example/team");
  await save("other", "b.example");
  await apply();
  const before = readFileSync(dockerFile(), "utf8");
  const rival = await save("rival", "a.example");
  const made = await plan();
  expect(made.targets.flatMap(({ refusals }) => refusals.map(({ login }) => login))).toEqual(["a", "rival"]);
  expect(causes(made)).toEqual([["b.example", "keep", undefined]]);
  expect(made.targets[0]?.warnings.find(({ login }) => login === "a")?.message).toContain("stays as it was");
  await apply();
  expect(readFileSync(dockerFile(), "utf8")).toBe(before);

  // Alone in its file it stays too, where no document names the file any more.
  await deleteLogin(context, here, undefined, "other");
  await apply();
  expect(Object.keys(auths())).toEqual(["a.example"]);
  expect(readFileSync(stateFile(), "utf8")).toContain('"login":"a"');

  // Mended: the entry is still ours, so it is changed, not called somebody's.
  await deleteLogin(context, here, undefined, "a");
  const mended = await plan();
  expect(causes(mended)).toEqual([["a.example", "update", "changed here"]]);
  expect(mended.targets.flatMap(({ warnings }) => warnings)).toEqual([]);
  await apply();
  expect(pairOf("a.example")).toBe(`rival-user:${rival.reveal()}`);
});

test("the programs of a node: their files are written and taken away whole, and it is said when they count", async () => {
  const out = join(folder, "out");
  mkdirSync(out, { mode: 0o700 });
  const deliveries = ["kubelet", "k3s", "crio", "gitlab"].map(
    (to) => `  - { to: ${to}, at: "folder:out" }\n`,
  );
  const text = `version: 1\nlogins: {}\ndeliver:\n${deliveries.join("")}`;
  writeFileSync(join(folder, "wharf.yaml"), text);
  await save("a", "a.example");
  expect(
    (await apply()).map((outcome) => [outcome.consumer, outcome.written.length, outcome.takesEffect]),
  ).toEqual([
    ["kubelet", 1, "takes effect within 300 seconds"],
    ["k3s", 1, "takes effect after a restart of k3s"],
    ["crio", 2, "takes effect after a restart of crio (the first time)"],
    ["gitlab", 1, undefined],
  ]);
  expect(statSync(join(out, "etc/rancher/k3s/registries.yaml")).mode & 0o777).toBe(0o600);
  expect((await apply()).map((outcome) => outcome.takesEffect)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  await deleteLogin(context, here, undefined, "a");
  await apply();
  for (const path of [
    "etc/crio/wharf-auth.json",
    "etc/crio/crio.conf.d/99-wharf-auth.conf",
    "etc/rancher/k3s/registries.yaml",
  ])
    expect(existsSync(join(out, path))).toBe(false);
});

test("a folder that everybody may write to is refused by the plan already", async () => {
  await save("hub", "docker.io");
  mkdirSync(join(home, ".docker"));
  chmodSync(join(home, ".docker"), 0o777);
  expect((await plan()).targets).toMatchObject([{ files: [], error: { code: "UNSAFE_PATH" } }]);
  chmodSync(join(home, ".docker"), 0o700);
  expect((await plan()).targets).toMatchObject([{ files: [{ action: "create" }], error: undefined }]);
});
