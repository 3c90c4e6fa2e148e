/** A login is taken back, by command line, against our own server: its copies everywhere, its token, what a rotation left. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { useRotation } from "./support/use-rotation.ts";

const it = useRotation();
const { wharf, deliver, signIn, dockerFile, delivered, isGood, activeTokens, killAt } = it;

test("revoke takes every copy away, then the token at our registry; unreachable ones later", async () => {
  mkdirSync(join(it.home, "out"));
  await deliver('  - { to: kubernetes, at: "folder:out", name: regcred, namespace: ml }\n');
  await signIn();
  const whole = readFileSync(dockerFile(), "utf8");
  writeFileSync(dockerFile(), "{ broken");
  const first = await wharf("revoke team --revoke-token");
  expect([first.code, first.err]).toEqual([
    3,
    expect.stringMatching(/1 of 3 targets could not be reached[^]*its token is revoked/),
  ]);
  expect(await isGood(it.robot.secret)).toBe(false);
  expect(
    readdirSync(join(it.home, "out"), { recursive: true, withFileTypes: true }).some((one) => one.isFile()),
  ).toBe(false);
  writeFileSync(dockerFile(), whole);
  const second = await wharf("revoke team");
  expect([second.code, second.err]).toEqual([0, expect.stringContaining("1 file changed")]);
  expect(readdirSync(join(it.home, ".docker"))).toEqual([]);
});

test("revoke asks before it revokes the token; a no leaves it, and a registry that is away keeps the login", async () => {
  await deliver();
  await signIn();
  await killAt("delivered");
  const rotated = delivered();
  const store = join(it.home, ".config", "wharf", "sign-ins.json");
  const signIns = readFileSync(store, "utf8");
  writeFileSync(store, signIns.replaceAll(/"secret": "[^"]*"/g, '"secret": "worthless"'));
  const away = await wharf("revoke team", { answers: ["y"] });
  expect([away.code, away.err]).toEqual([3, expect.stringContaining("so the login stays here")]);
  writeFileSync(store, signIns);
  const asked = await wharf("revoke team", { answers: ["y"] });
  expect([asked.code, asked.questions.map(({ text }) => text)]).toEqual([
    0,
    [`revoke its token at ${it.server.url} too?`],
  ]);
  // Both that the rotation held.
  expect([await isGood(it.robot.secret), await isGood(rotated), await activeTokens()]).toEqual([
    false,
    false,
    0,
  ]);
});

test("revoke finds Docker Hub's login under every spelling, and leaves what is somebody else's", async () => {
  const secret = crypto.randomUUID();
  writeFileSync(join(it.home, "secret"), secret);
  writeFileSync(
    join(it.home, "wharf.yaml"),
    "version: 1\nlogins:\n  hub: { registry: docker.io, username: acme, password: { file: secret } }\ndeliver:\n  - { to: docker, at: local }\n  - { to: podman, at: local }\n",
  );
  expect((await wharf("apply --yes")).code).toBe(0);
  const auth = Buffer.from(`acme:${secret}`).toString("base64");
  const theirs = Buffer.from("me:mine").toString("base64");
  const podmanFile = join(it.home, ".config", "containers", "auth.json");
  for (const path of [dockerFile(), podmanFile]) {
    const { auths } = JSON.parse(readFileSync(path, "utf8"));
    const more = {
      "docker.io": { auth },
      "https://index.docker.io/v1/": { auth },
      "other.example": { auth: theirs },
    };
    writeFileSync(path, JSON.stringify({ auths: { ...auths, ...more, "registry-1.docker.io": { auth } } }));
  }
  expect((await wharf("revoke hub")).code).toBe(0);
  for (const path of [dockerFile(), podmanFile]) {
    const text = readFileSync(path, "utf8");
    expect(text).not.toContain(auth);
    expect(text).toContain(theirs);
  }
});
