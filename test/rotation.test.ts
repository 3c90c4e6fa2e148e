/** The life of a login, by command line, against our own server: rotated by whoever can make its next secret, until everybody has it. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "#core";
import { beginRotation } from "#delivery";
import { rotationContext, useRotation } from "./support/use-rotation.ts";

const it = useRotation();
const {
  wharf,
  deliver,
  signIn,
  dockerFile,
  delivered,
  isGood,
  activeTokens,
  goesOn,
  rotateInput,
  issuerHere,
  killAt,
} = it;

test("a registry of ours makes the new secret; it goes everywhere, and the old one is revoked", async () => {
  await deliver();
  await signIn();
  const rotated = await wharf("rotate team");
  expect([rotated.code, rotated.out]).toEqual([0, expect.stringContaining("new secret everywhere")]);
  expect(delivered()).not.toBe(it.robot.secret);
  expect([await isGood(delivered()), await isGood(it.robot.secret), await activeTokens()]).toEqual([
    true,
    false,
    1,
  ]);
  expect(readFileSync(join(it.home, "wharf.yaml"), "utf8")).toContain("expires: ");
  expect((await wharf("check")).code).toBe(0);
  expect(await goesOn()).toBe(false);
  // Once more, as one document.
  const again = await wharf("rotate team --json");
  expect(JSON.parse(again.out)).toMatchObject({ login: "team", done: true, oldSecret: "revoked" });
  for (const secret of [it.robot.secret, delivered()]) expect(it.shown.join("\n")).not.toContain(secret);
});

test("a target that cannot be written keeps the old secret good until it can", async () => {
  await deliver();
  await signIn();
  const whole = readFileSync(dockerFile(), "utf8");
  writeFileSync(dockerFile(), "{ broken");
  const half = await wharf("rotate team");
  expect([half.code, half.err]).toEqual([
    3,
    expect.stringMatching(/remains: docker at local: .*\n.*--continue/),
  ]);
  expect([await isGood(it.robot.secret), await activeTokens()]).toEqual([true, 2]);
  writeFileSync(dockerFile(), whole);
  expect((await wharf("rotate team --continue")).code).toBe(0);
  expect([await isGood(delivered()), await isGood(it.robot.secret)]).toEqual([true, false]);
});

test("a secret from elsewhere is proved first: a wrong one changes nothing, a right one goes everywhere", async () => {
  await deliver();
  const vault = readFileSync(join(it.home, "wharf.vault"), "utf8");
  const wrong = await wharf("rotate team --password-stdin", { input: "nonsense" });
  expect(wrong.code).toBe(4);
  expect(readFileSync(join(it.home, "wharf.vault"), "utf8")).toBe(vault);
  expect((await wharf("rotate team")).err).toContain("--password-stdin");
  const made = await it.server.api("POST", it.tokensPath, { name: "by-hand" });
  const rotated = await wharf("rotate team", { answers: [String(made["secret"])] });
  expect([rotated.code, rotated.questions.map(({ hidden }) => hidden)]).toEqual([0, [true]]);
  expect(rotated.err).toContain(`the old secret is still good: delete it at ${it.server.address}`);
  expect(delivered()).toBe(String(made["secret"]));
  expect(await isGood(it.robot.secret)).toBe(true);
});

test("a person's own token, and a robot of the site, are rotated as well", async () => {
  await it.server.createUser("alice", "a-long-password-of-alice");
  const alice = await it.server.api("POST", "/users/alice/tokens", { name: "laptop" });
  const site = await it.server.api("POST", "/robots", { name: "nodes", projects: ["team"] });
  await signIn();
  const logins = [
    { username: "alice", secret: String(alice["secret"]) },
    { username: String(site["username"]), secret: String(site["secret"]) },
  ];
  for (const login of logins) {
    it.robot = login;
    await deliver();
    expect((await wharf("rotate team")).code).toBe(0);
    expect([await isGood(delivered()), await isGood(login.secret)]).toEqual([true, false]);
    expect((await wharf("revoke team --revoke-token")).code).toBe(0);
  }
});

test("two at once follow each other, and leave one token", async () => {
  await deliver();
  await signIn();
  const both = await Promise.all([wharf("rotate team"), wharf("rotate team")]);
  const good = both.filter(({ code }) => code === 0).length;
  expect(good).toBeGreaterThan(0);
  expect([await isGood(delivered()), await activeTokens(), await goesOn()]).toEqual([true, 1, false]);
});

test("the login's own command makes the new secret, after wharf trust alone", async () => {
  await deliver();
  await signIn();
  const made = await it.server.api("POST", it.tokensPath, { name: "renewed" });
  writeFileSync(join(it.home, "next"), `${String(made["secret"])}\n`);
  const path = join(it.home, "wharf.yaml");
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    text.replace(/( +)username: .*\n/, `$&$1renew: [/bin/cat, ${join(it.home, "next")}]\n`),
  );
  const untrusted = await wharf("rotate team");
  expect([untrusted.code, untrusted.err]).toEqual([4, expect.stringContaining("wharf trust")]);
  expect((await wharf("trust --yes")).err).toContain("/bin/cat");
  expect((await wharf("rotate team")).code).toBe(0);
  expect(delivered()).toBe(String(made["secret"]));
  expect(await isGood(it.robot.secret)).toBe(false);
});

test("a folder has to be rolled out first: the old secret stays good until somebody says that it is", async () => {
  mkdirSync(join(it.home, "out"));
  await deliver('  - { to: kubernetes, at: "folder:out", name: regcred, namespace: ml }\n');
  await signIn();
  const half = await wharf("rotate team");
  expect([half.code, half.err]).toEqual([3, expect.stringContaining("remains: roll out folder:out")]);
  expect(await isGood(it.robot.secret)).toBe(true);
  expect((await wharf("rotate team --continue")).code).toBe(3);
  expect((await wharf("rotate team --continue --taken-up")).code).toBe(0);
  expect(await isGood(it.robot.secret)).toBe(false);
});

test("nobody can say that something is taken up before it is delivered", async () => {
  mkdirSync(join(it.home, "out"));
  await deliver('  - { to: kubernetes, at: "folder:out", name: regcred, namespace: ml }\n');
  await signIn();
  expect((await wharf("rotate team --taken-up")).code).toBe(2);
  await killAt("proved");
  const early = await wharf("rotate team --continue --taken-up");
  expect([early.code, early.err]).toEqual([3, expect.stringContaining("remains: roll out folder:out")]);
  expect(await isGood(it.robot.secret)).toBe(true);
  expect((await wharf("rotate team --continue --taken-up")).code).toBe(0);
  expect(await isGood(it.robot.secret)).toBe(false);
});

test("what somebody changes while it is waited is delivered again, and the old secret stays good", async () => {
  await deliver();
  await signIn();
  const input = await rotateInput({
    said(stage) {
      if (stage === "in use") writeFileSync(dockerFile(), "{}");
    },
  });
  const issuer = await issuerHere(input);
  const report = await beginRotation(rotationContext, input, "team", { kind: "issuer", issuer });
  expect([report.isDone, report.remaining]).toMatchObject([false, [{ kind: "target", consumer: "docker" }]]);
  expect([await isGood(delivered()), await isGood(it.robot.secret)]).toEqual([true, true]);
  expect((await wharf("rotate team --continue")).code).toBe(0);
  expect([await isGood(delivered()), await isGood(it.robot.secret)]).toEqual([true, false]);
});

test("the journal is sealed: no secret is in a file but the vault's ciphertext and what is delivered", async () => {
  await deliver();
  await signIn();
  await killAt("new secret sealed");
  for (const name of readdirSync(it.home).filter((entry) => entry.startsWith("wharf."))) {
    const text = readFileSync(join(it.home, name), "utf8");
    expect(text).not.toContain(it.robot.secret);
    expect(text).not.toContain(Buffer.from(it.robot.secret).toString("base64"));
  }
  expect(String(new Secret(it.robot.secret))).toBe("[secret]");
  expect((await wharf("rotate team --continue")).code).toBe(0);
});
