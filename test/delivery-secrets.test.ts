/** What keeps a login's secret, by command line, against our own server: the vault, trust, a private CA, exchanged tokens, and that it is shown nowhere. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startTestServer } from "./support/test-server.ts";
import { useDelivery } from "./support/use-delivery.ts";
import { filesUnder } from "./support/use-wharf-home.ts";

const it = useDelivery();
const { wharf, logIn, deliver, auth, expectSecretHidden } = it;

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
    expect(filesUnder(it.home)).toEqual([]);
    deliver("{ to: podman, at: local }");
    expect((await wharf(`${args} --ca-fingerprint ${fingerprint}`, { input: own.secret })).code).toBe(0);
    expect((await wharf("check --json")).out).toContain('"proof":"proved"');
    await wharf("apply --yes");
    const ca = join(it.home, ".config", "containers", "certs.d", tls.address, "ca.crt");
    expect(readFileSync(ca, "utf8").trim()).toBe((tls.ca ?? "").trim());
    const asked = await wharf(`login ${tls.address} -u ${own.username}`, { answers: [own.secret] });
    expect(asked.code).toBe(0);
  } finally {
    await tls.stop();
  }
});

test("a command source runs only after wharf trust, and not after an edit", async () => {
  const ran = join(it.home, "ran");
  writeFileSync(
    join(it.home, "wharf.yaml"),
    `version: 1\nlogins:\n  c: { registry: ${it.server.address}, username: ${it.robot.username}, password: { command: [sh, -c, "touch ${ran}; echo ${"$"}WORD"] } }\ndeliver:\n  - { to: docker, at: local }\n`,
  );
  const env = { PATH: "/usr/bin:/bin", WORD: "from-the-command" };
  const before = await wharf("apply --yes", { env });
  expect([before.code, existsSync(ran)]).toEqual([3, false]);
  expect(before.err).toContain("wharf trust");
  expect((await wharf("trust", { answers: ["n"] })).code).toBe(1);
  expect((await wharf("trust --yes")).code).toBe(0);
  expect((await wharf("apply --yes", { env })).code).toBe(0);
  expect(readFileSync(join(it.home, ".docker", "config.json"), "utf8")).toContain(
    Buffer.from(`${it.robot.username}:from-the-command`).toString("base64"),
  );
  rmSync(ran);
  writeFileSync(
    join(it.home, "wharf.yaml"),
    `${readFileSync(join(it.home, "wharf.yaml"), "utf8")}# edited\n`,
  );
  expect((await wharf("plan", { env })).code).toBe(3);
  expect(existsSync(ran)).toBe(false);
});

test("a tampered vault and a wrong key are told, and nothing is delivered", async () => {
  deliver("{ to: docker, at: local }");
  await logIn();
  const vault = join(it.home, "wharf.vault");
  const text = readFileSync(vault, "utf8");
  writeFileSync(
    vault,
    text.replace(/signature: ./, (found) => `${found.slice(0, -1)}${found.endsWith("A") ? "B" : "A"}`),
  );
  const tampered = await wharf("apply --yes --json");
  expect([tampered.code, JSON.parse(tampered.out).error.code]).toEqual([4, "VAULT_TAMPERED"]);
  writeFileSync(vault, text);
  const elsewhere = { XDG_CONFIG_HOME: join(it.home, "elsewhere") };
  await wharf("vault recipients", { env: elsewhere });
  const wrong = await wharf("apply --yes --json", { env: elsewhere });
  expect([wrong.code, JSON.parse(wrong.out).error.code]).toEqual([4, "VAULT_KEY_WRONG"]);
  expect(existsSync(join(it.home, ".docker"))).toBe(false);
});

test("rekey, backup and recipients keep the vault open to those who may", async () => {
  await logIn();
  expect((await wharf("vault backup-key kept.key")).code).toBe(0);
  expect((await wharf("vault backup-key kept.key")).code).toBe(1);
  expect((await wharf("vault rekey")).code).toBe(0);
  expect((await wharf("logins")).code).toBe(0);
  const old = await wharf("logins", { env: { WHARF_KEY_FILE: join(it.home, "kept.key") } });
  expect([old.code, old.out]).toEqual([3, expect.stringContaining("does not open the vault")]);
  expect(
    (await wharf("vault rekey --passphrase", { answers: ["correct horse battery", "correct horse battery"] }))
      .code,
  ).toBe(0);
  expect((await wharf("logins", { answers: ["correct horse battery"] })).code).toBe(0);
  expect((await wharf("vault rekey", { answers: ["correct horse battery"] })).code).toBe(0);
});

test("an exchanged token is delivered while it lives, and apply brings the next one", async () => {
  const printed = join(it.home, "token");
  const old = await it.server.createRobot("team", "lives-shortly");
  writeFileSync(printed, old.secret);
  const source = `{ exchange: { command: [/bin/cat, ${printed}], lives: 1h } }`;
  const login = `{ registry: ${it.server.address}/team, username: ${old.username}, password: ${source} }`;
  writeFileSync(
    join(it.home, "wharf.yaml"),
    `version: 1\nlogins:\n  team: ${login}\ndeliver:\n  - { to: docker, at: local }\n`,
  );
  expect((await wharf("apply --yes")).err).toContain("wharf trust");
  expect((await wharf("trust --yes")).err).toContain("/bin/cat");
  const first = await wharf("apply --yes");
  expect([first.code, first.err]).toEqual([0, expect.stringContaining("its token ends at")]);
  const made = await it.server.api("POST", "/projects/team/robots/lives-shortly/tokens", { name: "next" });
  writeFileSync(printed, String(made["secret"]));
  // The sealed one is good for long enough.
  const checked = await wharf("check --json");
  const [status] = JSON.parse(checked.out).logins;
  const left = (Date.parse(status.expires) - Date.now()) / 60_000;
  expect([checked.code, status.expiry, left > 55 && left <= 60]).toEqual([0, "later", true]);
  rmSync(join(it.home, ".config", "wharf", "exchanged.vault"));
  const stale = await wharf("check");
  expect([stale.code, stale.out]).toEqual([3, expect.stringContaining("changed here")]);
  expect((await wharf("apply --yes")).code).toBe(0);
  const file = readFileSync(join(it.home, ".docker", "config.json"), "utf8");
  const pair = `${old.username}:${String(made["secret"])}`;
  expect(file).toContain(Buffer.from(pair).toString("base64"));
  expect((await wharf("check")).code).toBe(0);
});

test("the canary: after every command, the secret is in no output, log or file but the intended ones", async () => {
  mkdirSync(join(it.home, "out"));
  mkdirSync(join(it.home, "bin"));
  // Programs that write down what they are given.
  for (const program of ["docker", "podman", "enroot", "curl", "apptainer", "docker-credential-pass"]) {
    const script = `#!/bin/sh\n{ echo "$0 $@"; /usr/bin/env; /bin/cat; } >> ${it.home}/given-to-programs\necho 28.2.2\n`;
    writeFileSync(join(it.home, "bin", program), script, { mode: 0o755 });
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
    `why ${it.server.address}/team/app`,
    `why ${it.server.address}/team/app --json`,
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
  expect(readFileSync(join(it.home, "given-to-programs"), "utf8")).toContain("apptainer --version");
  expect(readFileSync(join(it.home, "given-to-programs"), "utf8")).not.toContain("docker-credential");
  const intended = [".docker/config.json", ".config/containers/auth.json"].map((path) => join(it.home, path));
  const holding = filesUnder(it.home).filter((path) => {
    const text = readFileSync(path, "utf8");
    return text.includes(it.robot.secret) || text.includes(auth());
  });
  expect(holding.sort()).toEqual(intended.sort());
  await wharf("revoke team");
  await wharf("logout team");
  expectSecretHidden();
});
