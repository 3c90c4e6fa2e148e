/** The first way through the house, by command line, against our own server: login, plan, apply, why, check, render, revoke. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type InProcessOptions, type InProcessResult, runCli } from "./support/run-cli.ts";
import { startTestServer, type TestLogin, type TestServer } from "./support/test-server.ts";

let server: TestServer;
let robot: TestLogin;
let home: string;
const shown: string[] = [];

beforeAll(async () => {
  server = await startTestServer();
  await server.createProject("team");
  robot = await server.createRobot("team", "ci");
});
afterAll(async () => await server.stop());
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "wharf-delivery-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function wharf(args: string, options: InProcessOptions = {}): Promise<InProcessResult> {
  const env = { HOME: home, PATH: join(home, "bin"), ...options.env };
  const result = await runCli(args.split(" "), { cwd: home, ...options, env });
  shown.push(result.out, result.err, JSON.stringify(result.logged), JSON.stringify(result.questions));
  return result;
}

async function logIn(as = "team", registry = `${server.address}/team`): Promise<InProcessResult> {
  return await wharf(`login ${registry} -u ${robot.username} --password-stdin --as ${as}`, {
    input: `${robot.secret}\n`,
  });
}

function deliver(...lines: string[]): void {
  const path = join(home, "wharf.yaml");
  writeFileSync(path, `version: 1\nlogins: {}\ndeliver:\n${lines.map((line) => `  - ${line}\n`).join("")}`);
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const auth = (): string => Buffer.from(`${robot.username}:${robot.secret}`).toString("base64");

test("a login is proved, sealed and written; a wrong one leaves nothing behind", async () => {
  const wrong = await wharf(`login ${server.address} -u ${robot.username} --password-stdin`, {
    input: "nonsense",
  });
  expect(wrong.code).toBe(4);
  expect(wrong.err).toStartWith("error: logging in: ");
  expect(filesUnder(home)).toEqual([]);
  const right = await logIn();
  expect([right.code, right.err]).toEqual([0, expect.stringContaining("made the vault's key")]);
  const folder = join(home, ".config", "wharf");
  expect(readdirSync(folder).sort()).toEqual(["key", "wharf.vault", "wharf.yaml"]);
  expect(statSync(join(folder, "key")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder, "wharf.yaml"), "utf8")).toContain(`registry: ${server.address}/team`);
  expect((await wharf("logins --json")).out).toContain(`"proof":{"outcome":"proved"`);
});

test("at a terminal it asks, hidden; the secret on the command line is refused", async () => {
  const asked = await wharf(`login ${server.address}`, { answers: [robot.username, robot.secret] });
  expect(asked.questions.map((question) => question.hidden)).toEqual([false, true]);
  expect(asked.code).toBe(0);
  const typed = await wharf(`login ${server.address} -u x -p hunter2`);
  expect(typed.code).toBe(2);
  expect(typed.err).toContain("--password-stdin");
  expect(typed.err).not.toContain("hunter2");
});

test("login, apply, apply again: delivered once, and nothing is written the second time", async () => {
  deliver("{ to: docker, at: local }", "{ to: podman, at: local }", "{ to: enroot, at: local }");
  await logIn();
  expect((await wharf("apply")).code).toBe(2);
  expect(existsSync(join(home, ".docker"))).toBe(false);
  expect((await wharf("apply", { answers: ["n"] })).err).toContain("nothing was written");
  const first = await wharf("apply --yes");
  expect([first.code, first.out.split("\n").filter((line) => line.startsWith("  created")).length]).toEqual([
    0, 3,
  ]);
  const config = join(home, ".docker", "config.json");
  expect(JSON.parse(readFileSync(config, "utf8")).auths[server.address].auth).toBe(auth());
  const before = filesUnder(home).map((path) => [path, statSync(path).ino, statSync(path).mtimeMs]);
  const second = await wharf("apply --yes");
  expect([second.code, second.out]).toEqual([0, ""]);
  expect(filesUnder(home).map((path) => [path, statSync(path).ino, statSync(path).mtimeMs])).toEqual(before);
});

test("check tells drift, and a login that the registry refuses; exit code 3", async () => {
  deliver("{ to: docker, at: local }");
  const other = await server.createRobot("team", "short");
  await wharf(`login ${server.address}/team -u ${other.username} --password-stdin --as team`, {
    input: other.secret,
  });
  await wharf("apply --yes");
  expect((await wharf("check")).code).toBe(0);
  const config = join(home, ".docker", "config.json");
  const written = readFileSync(config, "utf8");
  writeFileSync(config, "{}");
  const drifted = await wharf("check");
  expect([drifted.code, drifted.out]).toEqual([3, expect.stringContaining("(changed there)")]);
  writeFileSync(config, written);
  expect((await wharf("check")).code).toBe(0);
  const robots = await server.api("GET", "/projects/team/robots");
  expect(JSON.stringify(robots)).toContain(other.username);
  await server.api("PATCH", "/projects/team/robots/short", { disabled: true });
  const refused = await wharf("check");
  expect([refused.code, refused.out]).toEqual([3, expect.stringContaining("failed login team")]);
  // A new secret of a disabled robot would be refused all the same.
  expect(refused.out).toContain("need not be replaced: enable the robot or user again");
  const disabled = await wharf(`why ${server.address}/team/app`);
  expect(disabled.out).toContain("its robot or user is disabled: enable it again at the registry");
  expect(disabled.out).not.toContain("wharf login");
  await server.api("PATCH", "/projects/team/robots/short", { disabled: false });
  const { items } = (await server.api("GET", "/projects/team/robots/short/tokens")) as {
    items: { id: number }[];
  };
  await server.api("DELETE", `/projects/team/robots/short/tokens/${items[0]?.id}`);
  expect((await wharf("check")).out).toContain("make a new secret");
  const why = await wharf(`why ${server.address}/team/app`);
  expect(why.out).toMatch(/docker +team \(robot-team-short\) .* refused \(/);
  // What is true of several programs is said once.
  const advice = why.out.split("\n").filter((line) => line.includes(": do: "));
  expect(advice).toEqual([
    expect.stringMatching(/^docker\b.*: do: .*wharf login \S+\/team --as team, then wharf apply$/),
  ]);
});

test("what is in a login's way is told by plan and check, though the file is as it should be", async () => {
  deliver("{ to: podman, at: local }");
  await logIn();
  expect((await wharf("apply --yes")).code).toBe(0);
  const runtime = join(home, "run", "containers");
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const theirs = Buffer.from("me:mine").toString("base64");
  writeFileSync(
    join(runtime, "auth.json"),
    JSON.stringify({ auths: { [server.address]: { auth: theirs } } }),
  );
  const env = { XDG_RUNTIME_DIR: join(home, "run") };
  const checked = await wharf("check", { env });
  expect([checked.code, checked.out]).toEqual([
    3,
    expect.stringContaining("podman would not use this login"),
  ]);
  expect((await wharf("plan", { env })).err).toContain("nothing to do");
  const why = JSON.parse((await wharf(`why ${server.address}/team/app --offline --json`, { env })).out)
    .answers[0];
  expect(why).toMatchObject({ consumer: "podman", username: "me", login: null, covered: false });
  expect(why.shadowedBy).toContain(join(runtime, "auth.json"));
});

test("another account of the same registry does not replace a login in silence", async () => {
  await logIn();
  const other = await server.createRobot("team", "second");
  const args = `login ${server.address}/team -u ${other.username} --password-stdin`;
  const refused = await wharf(`${args} --json`, { input: other.secret });
  expect([refused.code, JSON.parse(refused.out).error.code]).toEqual([2, "LOGINS_COLLIDE"]);
  expect(JSON.parse(refused.out).error.hint).toContain("--as team");
  expect((await wharf("logins")).out).toContain(robot.username);
  expect((await wharf(`${args} --as team`, { input: other.secret })).out).toContain("renewed login team");
  expect((await wharf("logins --json")).out).not.toContain(`"${robot.username}"`);
});

test("why says which entry each program uses, what is in its way, and what the registry answers", async () => {
  deliver("{ to: docker, at: local }", "{ to: podman, at: local }");
  await logIn();
  const image = `${server.address}/team/app:1`;
  const anonymous = JSON.parse((await wharf(`why ${image} --json`)).out).answers;
  expect(
    anonymous.map((answer: { consumer: string; kind: string; advice: string }) => [
      answer.consumer,
      answer.kind,
    ]),
  ).toEqual([
    ["docker", "anonymous"],
    ["podman", "anonymous"],
  ]);
  expect(anonymous[0].advice).toContain("wharf apply");
  await wharf("apply --yes");
  const good = JSON.parse((await wharf(`why ${image} --offline --json`)).out);
  expect(good.image).toBe(image);
  expect(good.answers[0]).toMatchObject({
    consumer: "docker",
    file: join(home, ".docker", "config.json"),
    key: server.address,
    login: "team",
    username: robot.username,
    shadowedBy: null,
    covered: true,
    pull: null,
  });
  // Docker knows no paths, and podman reads docker's file too: the login is sent, and is not meant for this image.
  const elsewhere = JSON.parse((await wharf(`why ${server.address}/elsewhere/app --offline --json`)).out);
  for (const answer of elsewhere.answers.slice(0, 2))
    expect(answer).toMatchObject({ kind: "login", login: "team", covered: false });
  const yaml = readFileSync(join(home, "wharf.yaml"), "utf8");
  writeFileSync(join(home, "wharf.yaml"), yaml.replace(/expires: .*/, "expires: 2020-01-01"));
  const [old] = JSON.parse((await wharf(`why ${image} --offline --json`)).out).answers;
  expect(old).toMatchObject({ expiry: "expired", advice: expect.stringContaining("--as team") });
  writeFileSync(join(home, "wharf.yaml"), yaml);
  // Somebody's helper for the host hides the entry.
  const config = join(home, ".docker", "config.json");
  const { auths } = JSON.parse(readFileSync(config, "utf8"));
  writeFileSync(config, JSON.stringify({ auths, credHelpers: { [server.address]: "pass" } }));
  const hidden = JSON.parse((await wharf(`why ${image} --offline --json`)).out).answers[0];
  expect(hidden).toMatchObject({ kind: "helper", covered: false, login: null });
  expect(hidden.shadowedBy).toContain("docker-credential-pass");
});

test("a JSON key, which Enroot gets in one line, is no drift, and goes with its login", async () => {
  const key = JSON.stringify(
    { type: "service_account", private_key: randomBytes(30).toString("hex"), email: "a b" },
    null,
    2,
  );
  writeFileSync(join(home, "key.json"), `${key}\n`);
  const logins = `logins:\n  gcr:\n    registry: gcr.example\n    username: _json_key\n    password: { file: key.json }\n`;
  const deliveries = "deliver:\n  - { to: enroot, at: local }\n  - { to: docker, at: local }\n";
  writeFileSync(join(home, "wharf.yaml"), `version: 1\n${logins}${deliveries}`);
  await wharf("apply --yes");
  const file = join(home, ".config", "enroot", ".credentials");
  expect(readFileSync(file, "utf8")).toContain("a\\u0020b");
  const checked = await wharf("check --offline");
  expect(checked.code).toBe(0);
  expect(checked.out).not.toContain("would not use");
  writeFileSync(join(home, "wharf.yaml"), `version: 1\nlogins: {}\n${deliveries}`);
  const pruned = await wharf("apply --yes");
  expect(pruned.err).not.toContain("was changed there");
  expect(existsSync(file)).toBe(false);
});

test("a file that may not be read is told, and keeps no other program's login back", async () => {
  deliver("{ to: enroot, at: local }", "{ to: podman, at: local }");
  await logIn();
  mkdirSync(join(home, ".docker"));
  const elsewhere = join(mkdtempSync(join(tmpdir(), "wharf-elsewhere-")), "config.json");
  writeFileSync(elsewhere, "{}");
  symlinkSync(elsewhere, join(home, ".docker", "config.json"));
  const why = await wharf("why gcr.example/a/b --offline --json");
  // Podman comes to docker's file only where its own does not answer.
  const applied = await wharf("apply --yes");
  const podman = JSON.parse((await wharf(`why ${server.address}/team/a --offline --json`)).out).answers[1];
  rmSync(dirname(elsewhere), { recursive: true });
  expect(why.code).toBe(0);
  const { answers } = JSON.parse(why.out);
  const docker = answers.find((answer: { consumer: string }) => answer.consumer === "docker");
  expect(docker).toMatchObject({
    kind: "broken",
    file: join(home, ".docker", "config.json"),
    covered: false,
  });
  expect([docker.why, docker.advice].join()).toMatch(/is a link out of .*replace the link/);
  expect(answers.find((answer: { consumer: string }) => answer.consumer === "enroot").kind).toBe("anonymous");
  expect(applied.code).toBe(0);
  expect(podman).toMatchObject({ consumer: "podman", kind: "login", login: "team" });
});

test("why tells an image that is not there from a login that may not see it", async () => {
  deliver("{ to: docker, at: local }");
  await server.api("POST", "/projects", { name: "hidden", visibility: "private" });
  await logIn();
  await wharf("apply --yes");
  const missing = await wharf(`why ${server.address}/team/none:1`);
  expect(missing.out).toMatch(/docker +team .* not there \(404\)/);
  expect(missing.out).toContain("the pull is let in, and there is no such image");
  const stranger = await wharf(`why ${server.address}/hidden/app:1`);
  expect(stranger.out).toMatch(/docker +team .* (?:refused|not there) \(40[134]\)/);
  expect(stranger.out).not.toContain("is let in");
  expect([missing.code, stranger.code]).toEqual([0, 0]);
});

test("render prints exactly the file's bytes, and to a terminal only with --show", async () => {
  await logIn();
  const refused = await wharf("render docker", { answers: [] });
  expect([refused.code, refused.out]).toEqual([2, ""]);
  const rendered = await runCli(["render", "docker"], { cwd: home, env: { HOME: home } });
  expect(rendered.out).toBe(
    `{\n\t"auths": {\n\t\t"${server.address}": {\n\t\t\t"auth": "${auth()}"\n\t\t}\n\t}\n}\n`,
  );
  const shownAnyway = await runCli(["render", "docker", "--show"], {
    cwd: home,
    env: { HOME: home },
    answers: [],
  });
  expect(shownAnyway.out).toBe(rendered.out);
  const secret = await runCli(["render", "kubernetes", "--name", "regcred"], {
    cwd: home,
    env: { HOME: home },
  });
  expect(secret.out).toContain("name: regcred\n");
  expect((await wharf("render nomad")).code).toBe(2);
});

test("render prints the Secrets of several namespaces as one stream, and what names them when asked", async () => {
  deliver('{ to: kubernetes, at: "k8s://none", namespaces: [a, b], service-accounts: [default] }');
  await logIn();
  const rendered = async (...args: string[]): Promise<string> =>
    (await runCli(["render", "kubernetes", ...args], { cwd: home, env: { HOME: home } })).out;
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
  mkdirSync(join(home, "site", "manifests"), { recursive: true });
  mkdirSync(join(home, "site", ".git"));
  const delivery =
    '{ to: kubernetes, at: "folder:site/manifests", namespace: ml, service-accounts: [default]';
  deliver(`${delivery} }`);
  await logIn();
  const refused = await wharf("apply --yes");
  expect(refused.code).toBe(3);
  expect(refused.out + refused.err).toContain("working tree of git");
  expect(refused.out + refused.err).toContain("clear: true");
  expect(filesUnder(join(home, "site"))).toEqual([]);
  const yaml = readFileSync(join(home, "wharf.yaml"), "utf8");
  writeFileSync(join(home, "wharf.yaml"), yaml.replace("[default] }", "[default], clear: true }"));
  expect((await wharf("apply --yes")).code).toBe(0);
  expect(
    filesUnder(join(home, "site"))
      .map((file) => file.slice(home.length))
      .sort(),
  ).toEqual(["/site/manifests/ml/regcred.yaml", "/site/manifests/ml/serviceaccount-default.yaml"]);
});

test("revoke takes every copy, says what it could not reach, and finishes later", async () => {
  mkdirSync(join(home, "out"));
  deliver("{ to: docker, at: local }", '{ to: docker, at: "folder:out" }');
  await logIn();
  await wharf("apply --yes");
  const config = join(home, ".docker", "config.json");
  const whole = readFileSync(config, "utf8");
  writeFileSync(config, "{ broken");
  const partly = await wharf("revoke team");
  expect([partly.code, partly.err]).toEqual([
    3,
    expect.stringContaining("1 of 2 targets could not be reached"),
  ]);
  expect(existsSync(join(home, "out", ".docker", "config.json"))).toBe(false);
  expect(readFileSync(join(home, "wharf.yaml"), "utf8")).toContain("logins: {}");
  writeFileSync(config, whole);
  expect((await wharf("revoke team")).code).toBe(0);
  expect(existsSync(config)).toBe(false);
  expect((await wharf("revoke team")).code).toBe(2);
});

test("revoke finds copies that the state does not remember", async () => {
  deliver("{ to: docker, at: local }");
  await logIn();
  await wharf("apply --yes");
  rmSync(join(home, "wharf.state"));
  expect((await wharf("revoke team --keep")).code).toBe(0);
  expect(existsSync(join(home, ".docker", "config.json"))).toBe(false);
  expect((await wharf("logins")).out).toContain("team");
});

test("apply without a delivery proposes what fits this machine", async () => {
  await logIn();
  const nothing = await wharf("apply --yes");
  expect([nothing.code, nothing.err]).toEqual([1, expect.stringContaining("no program that pulls images")]);
  mkdirSync(join(home, ".docker"), { mode: 0o700 });
  writeFileSync(join(home, ".docker", "config.json"), "{}");
  const proposed = await wharf("apply", { answers: ["y", "y"] });
  expect(proposed.code).toBe(0);
  expect(proposed.err).toContain("- { to: docker, at: local }");
  expect(readFileSync(join(home, ".docker", "config.json"), "utf8")).toContain(auth());
});

test("a private CA is never trusted on sight: its fingerprint is compared, and it is delivered with the login", async () => {
  const tls = await startTestServer({ tls: "auto" });
  try {
    await tls.createProject("team");
    const own = await tls.createRobot("team", "ci");
    const args = `login ${tls.address} -u ${own.username} --password-stdin`;
    const refused = await wharf(args, { input: own.secret });
    expect([refused.code, refused.err]).toEqual([5, expect.stringContaining("--ca-fingerprint")]);
    const fingerprint = tls.running.caFingerprint ?? "";
    expect(refused.err).toContain(fingerprint);
    const wrong = await wharf(`${args} --ca-fingerprint ${"00:".repeat(31)}00`, { input: own.secret });
    expect(wrong.code).toBe(5);
    expect(filesUnder(home)).toEqual([]);
    deliver("{ to: podman, at: local }");
    expect((await wharf(`${args} --ca-fingerprint ${fingerprint}`, { input: own.secret })).code).toBe(0);
    expect((await wharf("check --json")).out).toContain('"proof":"proved"');
    await wharf("apply --yes");
    const ca = join(home, ".config", "containers", "certs.d", tls.address, "ca.crt");
    expect(readFileSync(ca, "utf8").trim()).toBe((tls.ca ?? "").trim());
    const asked = await wharf(`login ${tls.address} -u ${own.username}`, { answers: [own.secret] });
    expect(asked.code).toBe(0);
  } finally {
    await tls.stop();
  }
});

test("a command source runs only after wharf trust, and not after an edit", async () => {
  const ran = join(home, "ran");
  writeFileSync(
    join(home, "wharf.yaml"),
    `version: 1\nlogins:\n  c: { registry: ${server.address}, username: ${robot.username}, password: { command: [sh, -c, "touch ${ran}; echo ${"$"}WORD"] } }\ndeliver:\n  - { to: docker, at: local }\n`,
  );
  const env = { PATH: "/usr/bin:/bin", WORD: "from-the-command" };
  const before = await wharf("apply --yes", { env });
  expect([before.code, existsSync(ran)]).toEqual([3, false]);
  expect(before.err).toContain("wharf trust");
  expect((await wharf("trust", { answers: ["n"] })).code).toBe(1);
  expect((await wharf("trust --yes")).code).toBe(0);
  expect((await wharf("apply --yes", { env })).code).toBe(0);
  expect(readFileSync(join(home, ".docker", "config.json"), "utf8")).toContain(
    Buffer.from(`${robot.username}:from-the-command`).toString("base64"),
  );
  rmSync(ran);
  writeFileSync(join(home, "wharf.yaml"), `${readFileSync(join(home, "wharf.yaml"), "utf8")}# edited\n`);
  expect((await wharf("plan", { env })).code).toBe(3);
  expect(existsSync(ran)).toBe(false);
});

test("a tampered vault and a wrong key are told, and nothing is delivered", async () => {
  deliver("{ to: docker, at: local }");
  await logIn();
  const vault = join(home, "wharf.vault");
  const text = readFileSync(vault, "utf8");
  writeFileSync(
    vault,
    text.replace(/signature: ./, (found) => `${found.slice(0, -1)}${found.endsWith("A") ? "B" : "A"}`),
  );
  const tampered = await wharf("apply --yes --json");
  expect([tampered.code, JSON.parse(tampered.out).error.code]).toEqual([4, "VAULT_TAMPERED"]);
  writeFileSync(vault, text);
  const elsewhere = { XDG_CONFIG_HOME: join(home, "elsewhere") };
  await wharf("vault recipients", { env: elsewhere });
  const wrong = await wharf("apply --yes --json", { env: elsewhere });
  expect([wrong.code, JSON.parse(wrong.out).error.code]).toEqual([4, "VAULT_KEY_WRONG"]);
  expect(existsSync(join(home, ".docker"))).toBe(false);
});

test("rekey, backup and recipients keep the vault open to those who may", async () => {
  await logIn();
  expect((await wharf("vault backup-key kept.key")).code).toBe(0);
  expect((await wharf("vault backup-key kept.key")).code).toBe(1);
  expect((await wharf("vault rekey")).code).toBe(0);
  expect((await wharf("logins")).code).toBe(0);
  const old = await wharf("logins", { env: { WHARF_KEY_FILE: join(home, "kept.key") } });
  expect([old.code, old.out]).toEqual([3, expect.stringContaining("does not open the vault")]);
  expect(
    (await wharf("vault rekey --passphrase", { answers: ["correct horse battery", "correct horse battery"] }))
      .code,
  ).toBe(0);
  expect((await wharf("logins", { answers: ["correct horse battery"] })).code).toBe(0);
  expect((await wharf("vault rekey", { answers: ["correct horse battery"] })).code).toBe(0);
});

test("the canary: after every command, the secret is in no output, log or file but the intended ones", async () => {
  mkdirSync(join(home, "out"));
  mkdirSync(join(home, "bin"));
  // Programs that write down what they are given.
  for (const program of ["docker", "podman", "enroot", "curl", "apptainer", "docker-credential-pass"]) {
    const script = `#!/bin/sh\n{ echo "$0 $@"; /usr/bin/env; /bin/cat; } >> ${home}/given-to-programs\necho 28.2.2\n`;
    writeFileSync(join(home, "bin", program), script, { mode: 0o755 });
  }
  deliver(
    "{ to: docker, at: local }",
    "{ to: podman, at: local }",
    '{ to: kubernetes, at: "folder:out", name: regcred }',
  );
  await logIn();
  for (const args of [
    "plan --all",
    "plan --json",
    "apply --yes --json",
    "apply --yes",
    "check",
    "check --json",
    "logins",
    "logins --json",
    `why ${server.address}/team/app`,
    `why ${server.address}/team/app --json`,
    "trust --yes",
    "vault recipients --json",
    "init --json",
    "adopt",
    "adopt --json",
    "check --quiet",
    "check --from-target --json",
    "check --prometheus out.prom",
    "revoke nobody",
    "rotate nobody",
    "render nomad",
  ])
    await wharf(args);
  expect(readFileSync(join(home, "given-to-programs"), "utf8")).toContain("docker --version");
  expect(readFileSync(join(home, "given-to-programs"), "utf8")).not.toContain("docker-credential");
  const intended = [".docker/config.json", ".config/containers/auth.json"].map((path) => join(home, path));
  const holding = filesUnder(home).filter((path) => {
    const text = readFileSync(path, "utf8");
    return text.includes(robot.secret) || text.includes(auth());
  });
  expect(holding.sort()).toEqual(intended.sort());
  await wharf("revoke team");
  await wharf("logout team");
  for (const text of [...shown, ...server.logLines]) {
    expect(text).not.toContain(robot.secret);
    expect(text).not.toContain(auth());
    expect(text).not.toContain(Buffer.from(robot.secret).toString("base64"));
  }
});

test("an exchanged token is delivered while it lives, and apply brings the next one", async () => {
  const printed = join(home, "token");
  const old = await server.createRobot("team", "lives-shortly");
  writeFileSync(printed, old.secret);
  const source = `{ exchange: { command: [/bin/cat, ${printed}], lives: 1h } }`;
  const login = `{ registry: ${server.address}/team, username: ${old.username}, password: ${source} }`;
  writeFileSync(
    join(home, "wharf.yaml"),
    `version: 1\nlogins:\n  team: ${login}\ndeliver:\n  - { to: docker, at: local }\n`,
  );
  expect((await wharf("apply --yes")).err).toContain("wharf trust");
  expect((await wharf("trust --yes")).err).toContain("/bin/cat");
  const first = await wharf("apply --yes");
  expect([first.code, first.err]).toEqual([0, expect.stringContaining("its token ends at")]);
  const made = await server.api("POST", "/projects/team/robots/lives-shortly/tokens", { name: "next" });
  writeFileSync(printed, String(made["secret"]));
  // The sealed one is good for long enough.
  const checked = await wharf("check --json");
  const [status] = JSON.parse(checked.out).logins;
  const left = (Date.parse(status.expires) - Date.now()) / 60_000;
  expect([checked.code, status.expiry, left > 55 && left <= 60]).toEqual([0, "later", true]);
  rmSync(join(home, ".config", "wharf", "exchanged.vault"));
  const stale = await wharf("check");
  expect([stale.code, stale.out]).toEqual([3, expect.stringContaining("changed here")]);
  expect((await wharf("apply --yes")).code).toBe(0);
  const file = readFileSync(join(home, ".docker", "config.json"), "utf8");
  const pair = `${old.username}:${String(made["secret"])}`;
  expect(file).toContain(Buffer.from(pair).toString("base64"));
  expect((await wharf("check")).code).toBe(0);
});

test("check for cron and monitoring: one line, a file for Prometheus, the exit code", async () => {
  deliver("{ to: docker, at: local }", "{ to: podman, at: local }");
  await logIn();
  await wharf("apply --yes");
  const prom = join(home, "wharf.prom");
  const good = await wharf(`check --quiet --prometheus ${prom}`);
  // The robot of these tests lives for a day: told, and not yet off.
  expect([good.code, good.out.replace(/\S+\n$/, ""), good.err]).toEqual([
    0,
    "wharf: good: login team expires on ",
    "",
  ]);
  expect(statSync(prom).mode & 0o777).toBe(0o644);
  const text = readFileSync(prom, "utf8");
  expect(text).toMatch(/^# TYPE wharf_check_good gauge\nwharf_check_good 1$/m);
  expect(text).toContain('wharf_target_good{consumer="docker",place="local",user=""} 1\n');
  expect(text).toContain(`wharf_login_good{login="team",registry="${server.address}"} 1\n`);
  expect(text).toMatch(/^wharf_login_expires_timestamp_seconds\{login="team",registry="[^"]+"\} \d{10}/m);
  const soon = await wharf("check --quiet --warn-days 30");
  expect([soon.code, soon.out]).toEqual([
    3,
    expect.stringMatching(/^wharf: off: login team expires on \S+\n$/),
  ]);
  writeFileSync(join(home, ".docker", "config.json"), "{}");
  const drifted = await wharf(`check --quiet --prometheus ${prom}`);
  expect([drifted.code, drifted.out]).toEqual([
    3,
    expect.stringContaining("wharf: off: 1 of 2 targets (local); login team"),
  ]);
  expect((await wharf("check --quiet --offline")).out).toBe("wharf: off: 1 of 2 targets (local)\n");
  expect(readFileSync(prom, "utf8")).toContain('consumer="docker",place="local",user=""} 0\n');
  expect(readdirSync(home).filter((name) => name.includes("prom"))).toEqual(["wharf.prom"]);
  // A check that fails itself says so too, and not what was true before.
  rmSync(join(home, ".config", "wharf", "key"));
  expect((await wharf(`check --quiet --prometheus ${prom}`)).code).toBe(4);
  expect(readFileSync(prom, "utf8")).toMatch(/^wharf_check_good 0$/m);
  expect(readFileSync(prom, "utf8")).not.toContain("wharf_target_good");
  expect((await wharf("check --warn-days soon")).code).toBe(2);
});

test("adopt rebuilds a lost state from what is exactly ours, and takes nothing else for ours", async () => {
  mkdirSync(join(home, "out"));
  deliver(
    "{ to: docker, at: local }",
    "{ to: podman, at: local }",
    '{ to: kubernetes, at: "folder:out", name: regcred }',
    "{ to: enroot, at: local }",
  );
  await logIn();
  await wharf("apply --yes");
  const statePath = filesUnder(home).find((path) => path.endsWith("wharf.state")) ?? "";
  const withoutTimes = () =>
    JSON.parse(readFileSync(statePath, "utf8")).delivered.map((one: object) => ({ ...one, time: "" }));
  const before = withoutTimes();
  expect((await wharf("adopt")).err).toContain(`0 entries adopted, ${before.length} were known`);
  rmSync(statePath);
  // Somebody else's entry, and a stale one of ours, are not ours to know.
  const config = join(home, ".docker", "config.json");
  const theirs = { "foreign.example": { auth: Buffer.from("me:mine").toString("base64") } };
  const { auths } = JSON.parse(readFileSync(config, "utf8"));
  writeFileSync(config, JSON.stringify({ auths: { ...auths, ...theirs } }));
  const podman = join(home, ".config", "containers", "auth.json");
  const stale = Buffer.from(`${robot.username}:of-last-year`).toString("base64");
  writeFileSync(podman, JSON.stringify({ auths: { [`${server.address}/team`]: { auth: stale } } }));
  const untouched = filesUnder(home).map((path) => [path, statSync(path).ino, statSync(path).mtimeMs]);
  const adopted = await wharf("adopt");
  expect([adopted.code, adopted.out]).toEqual([3, expect.stringContaining("foreign podman at local")]);
  for (const [path, ...rest] of untouched)
    expect([path, statSync(String(path)).ino, statSync(String(path)).mtimeMs]).toEqual([
      path,
      ...rest,
    ] as never);
  expect(withoutTimes()).toEqual(
    before.filter(({ consumer }: { consumer: string }) => consumer !== "podman"),
  );
  // What is known again is pruned again; the foreign entry stays.
  const yaml = filesUnder(home).find((path) => path.endsWith("wharf.yaml")) ?? "";
  writeFileSync(yaml, readFileSync(yaml, "utf8").replace(/deliver:[^]*/, ""));
  await wharf("apply --yes");
  expect(Object.keys(JSON.parse(readFileSync(config, "utf8")).auths)).toEqual(["foreign.example"]);
  expect(readFileSync(podman, "utf8")).toContain(stale);
});
