/** The first way through the house, by command line, against our own server: login, apply, render, revoke. */
import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCli } from "./support/run-cli.ts";
import { useDelivery } from "./support/use-delivery.ts";
import { filesUnder } from "./support/use-wharf-home.ts";

const it = useDelivery();
const { wharf, logIn, deliver, auth, expectSecretHidden } = it;

test("a login is proved, sealed and written; a wrong one leaves nothing behind", async () => {
  const wrong = await wharf(`login ${it.server.address} -u ${it.robot.username} --password-stdin`, {
    input: "nonsense",
  });
  expect(wrong.code).toBe(4);
  expect(wrong.err).toStartWith("error: logging in: ");
  expect(filesUnder(it.home)).toEqual([]);
  const right = await logIn();
  expect([right.code, right.err]).toEqual([0, expect.stringContaining("made the vault's key")]);
  const folder = join(it.home, ".config", "wharf");
  expect(readdirSync(folder).sort()).toEqual(["key", "wharf.vault", "wharf.yaml"]);
  expect(statSync(join(folder, "key")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder, "wharf.yaml"), "utf8")).toContain(`registry: ${it.server.address}/team`);
  expect((await wharf("logins --json")).out).toContain(`"proof":{"outcome":"proved"`);
});

test("at a terminal it asks, hidden; the secret on the command line is refused", async () => {
  const asked = await wharf(`login ${it.server.address}`, { answers: [it.robot.username, it.robot.secret] });
  expect(asked.questions.map((question) => question.hidden)).toEqual([false, true]);
  expect(asked.code).toBe(0);
  const typed = await wharf(`login ${it.server.address} -u x -p hunter2`);
  expect(typed.code).toBe(2);
  expect(typed.err).toContain("--password-stdin");
  expect(typed.err).not.toContain("hunter2");
});

test("login, apply, apply again: delivered once, and nothing is written the second time", async () => {
  deliver("{ to: docker, at: local }", "{ to: podman, at: local }", "{ to: enroot, at: local }");
  await logIn();
  expect((await wharf("apply")).code).toBe(2);
  expect(existsSync(join(it.home, ".docker"))).toBe(false);
  expect((await wharf("apply", { answers: ["n"] })).err).toContain("nothing was written");
  const first = await wharf("apply --yes");
  expect([first.code, first.out.split("\n").filter((line) => line.startsWith("  created")).length]).toEqual([
    0, 3,
  ]);
  const config = join(it.home, ".docker", "config.json");
  expect(JSON.parse(readFileSync(config, "utf8")).auths[it.server.address].auth).toBe(auth());
  const before = filesUnder(it.home).map((path) => [path, statSync(path).ino, statSync(path).mtimeMs]);
  const second = await wharf("apply --yes");
  expect([second.code, second.out]).toEqual([0, ""]);
  expect(filesUnder(it.home).map((path) => [path, statSync(path).ino, statSync(path).mtimeMs])).toEqual(
    before,
  );
});

test("another account of the same registry does not replace a login in silence", async () => {
  await logIn();
  const other = await it.server.createRobot("team", "second");
  const args = `login ${it.server.address}/team -u ${other.username} --password-stdin`;
  const refused = await wharf(`${args} --json`, { input: other.secret });
  expect([refused.code, JSON.parse(refused.out).error.code]).toEqual([2, "LOGINS_COLLIDE"]);
  expect(JSON.parse(refused.out).error.hint).toContain("--as team");
  expect((await wharf("logins")).out).toContain(it.robot.username);
  expect((await wharf(`${args} --as team`, { input: other.secret })).out).toContain("renewed login team");
  expect((await wharf("logins --json")).out).not.toContain(`"${it.robot.username}"`);
});

test("a JSON key, which Enroot gets in one line, is no drift, and goes with its login", async () => {
  const key = JSON.stringify(
    { type: "service_account", private_key: randomBytes(30).toString("hex"), email: "a b" },
    null,
    2,
  );
  writeFileSync(join(it.home, "key.json"), `${key}\n`);
  const logins = `logins:\n  gcr:\n    registry: gcr.example\n    username: _json_key\n    password: { file: key.json }\n`;
  const deliveries = "deliver:\n  - { to: enroot, at: local }\n  - { to: docker, at: local }\n";
  writeFileSync(join(it.home, "wharf.yaml"), `version: 1\n${logins}${deliveries}`);
  await wharf("apply --yes");
  const file = join(it.home, ".config", "enroot", ".credentials");
  expect(readFileSync(file, "utf8")).toContain("a\\u0020b");
  const checked = await wharf("check --offline");
  expect(checked.code).toBe(0);
  expect(checked.out).not.toContain("would not use");
  writeFileSync(join(it.home, "wharf.yaml"), `version: 1\nlogins: {}\n${deliveries}`);
  const pruned = await wharf("apply --yes");
  expect(pruned.err).not.toContain("was changed there");
  expect(existsSync(file)).toBe(false);
});

test("render prints exactly the file's bytes, and to a terminal only with --show", async () => {
  await logIn();
  const refused = await wharf("render docker", { answers: [] });
  expect([refused.code, refused.out]).toEqual([2, ""]);
  const rendered = await runCli(["render", "docker"], { cwd: it.home, env: { HOME: it.home } });
  expect(rendered.out).toBe(
    `{\n\t"auths": {\n\t\t"${it.server.address}": {\n\t\t\t"auth": "${auth()}"\n\t\t}\n\t}\n}\n`,
  );
  const shownAnyway = await runCli(["render", "docker", "--show"], {
    cwd: it.home,
    env: { HOME: it.home },
    answers: [],
  });
  expect(shownAnyway.out).toBe(rendered.out);
  const secret = await runCli(["render", "kubernetes", "--name", "regcred"], {
    cwd: it.home,
    env: { HOME: it.home },
  });
  expect(secret.out).toContain("name: regcred\n");
  expect((await wharf("render nomad")).code).toBe(2);
});

test("render prints the Secrets of several namespaces as one stream, and what names them when asked", async () => {
  deliver('{ to: kubernetes, at: "k8s://none", namespaces: [a, b], service-accounts: [default] }');
  await logIn();
  const rendered = async (...args: string[]): Promise<string> =>
    (await runCli(["render", "kubernetes", ...args], { cwd: it.home, env: { HOME: it.home } })).out;
  const kinds = (text: string): string[] =>
    text.split("---\n").map((one) => {
      const found = /^kind: (.*)$[^]*^ {2}namespace: (.*)$/m.exec(one);
      return `${found?.[1]} ${found?.[2]?.replaceAll('"', "")}`;
    });
  expect(kinds(await rendered())).toEqual(["Secret a", "Secret b"]);
  expect(kinds(await rendered("--namespace", "b"))).toEqual(["Secret b"]);
  expect(kinds(await rendered("--references"))).toEqual([
    "Secret a",
    "Secret b",
    "ServiceAccount a",
    "ServiceAccount b",
  ]);
});

test("a Secret goes into a working tree of git only when that is said", async () => {
  mkdirSync(join(it.home, "site", "manifests"), { recursive: true });
  mkdirSync(join(it.home, "site", ".git"));
  const delivery =
    '{ to: kubernetes, at: "folder:site/manifests", namespace: ml, service-accounts: [default]';
  deliver(`${delivery} }`);
  await logIn();
  const refused = await wharf("apply --yes");
  expect(refused.code).toBe(3);
  expect(refused.out + refused.err).toContain("working tree of git");
  expect(refused.out + refused.err).toContain("clear: true");
  expect(filesUnder(join(it.home, "site"))).toEqual([]);
  const yaml = readFileSync(join(it.home, "wharf.yaml"), "utf8");
  writeFileSync(join(it.home, "wharf.yaml"), yaml.replace("[default] }", "[default], clear: true }"));
  expect((await wharf("apply --yes")).code).toBe(0);
  expect(
    filesUnder(join(it.home, "site"))
      .map((file) => file.slice(it.home.length))
      .sort(),
  ).toEqual(["/site/manifests/ml/regcred.yaml", "/site/manifests/ml/serviceaccount-default.yaml"]);
});

test("revoke takes every copy, says what it could not reach, and finishes later", async () => {
  mkdirSync(join(it.home, "out"));
  deliver("{ to: docker, at: local }", '{ to: docker, at: "folder:out" }');
  await logIn();
  await wharf("apply --yes");
  const config = join(it.home, ".docker", "config.json");
  const whole = readFileSync(config, "utf8");
  writeFileSync(config, "{ broken");
  const partly = await wharf("revoke team");
  expect([partly.code, partly.err]).toEqual([
    3,
    expect.stringContaining("1 of 2 targets could not be reached"),
  ]);
  expect(existsSync(join(it.home, "out", ".docker", "config.json"))).toBe(false);
  expect(readFileSync(join(it.home, "wharf.yaml"), "utf8")).toContain("logins: {}");
  writeFileSync(config, whole);
  expect((await wharf("revoke team")).code).toBe(0);
  expect(existsSync(config)).toBe(false);
  expect((await wharf("revoke team")).code).toBe(2);
});

test("revoke finds copies that the state does not remember", async () => {
  deliver("{ to: docker, at: local }");
  await logIn();
  await wharf("apply --yes");
  rmSync(join(it.home, "wharf.state"));
  expect((await wharf("revoke team --keep")).code).toBe(0);
  expect(existsSync(join(it.home, ".docker", "config.json"))).toBe(false);
  expect((await wharf("logins")).out).toContain("team");
});

test("apply without a delivery proposes what fits this machine", async () => {
  await logIn();
  const nothing = await wharf("apply --yes");
  expect([nothing.code, nothing.err]).toEqual([1, expect.stringContaining("no program that pulls images")]);
  mkdirSync(join(it.home, ".docker"), { mode: 0o700 });
  writeFileSync(join(it.home, ".docker", "config.json"), "{}");
  const proposed = await wharf("apply", { answers: ["y", "y"] });
  expect(proposed.code).toBe(0);
  expect(proposed.err).toContain("- { to: docker, at: local }");
  expect(readFileSync(join(it.home, ".docker", "config.json"), "utf8")).toContain(auth());
});

test("nothing above showed the secret", () => expectSecretHidden());
