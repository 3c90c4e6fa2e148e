/** The life of a login, by command line, against our own server: rotated, killed at every step, taken back, revoked. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, Secret, silentLogger } from "#core";
import { beginRotation, type RotateInput, type RotationStage, type TokenIssuer } from "#delivery";
import { readConfig } from "#logins";
import { createFetch } from "#system";
import { findTokenIssuer } from "../src/cli/manage/token-issuer.ts";
import { type InProcessOptions, type InProcessResult, runCli } from "./support/run-cli.ts";
import { startTestServer, type TestLogin, type TestServer } from "./support/test-server.ts";
import { wharfFromSource } from "./support/wharf-process.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
let server: TestServer;
let robot: TestLogin;
let home: string;
let robots = 0;
const shown: string[] = [];

beforeAll(async () => {
  server = await startTestServer();
  await server.createProject("team");
}, 60_000);
afterAll(async () => await server.stop());
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "wharf-rotation-"));
  robot = await server.createRobot("team", `bot${++robots}`);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function wharf(args: string, options: InProcessOptions = {}): Promise<InProcessResult> {
  const result = await runCli(args.split(" "), { cwd: home, ...options, env: environment() });
  shown.push(result.out, result.err, JSON.stringify(result.logged));
  return result;
}

function environment(): Record<string, string> {
  return { HOME: home, PATH: join(home, "bin") };
}

/** A login of the robot, delivered to docker and podman here. */
async function deliver(more = ""): Promise<void> {
  const deliveries = `deliver:\n  - { to: docker, at: local }\n  - { to: podman, at: local }\n${more}`;
  writeFileSync(join(home, "wharf.yaml"), `version: 1\nlogins: {}\n${deliveries}`);
  const logIn = `login ${server.address}/team -u ${robot.username} --password-stdin --as team`;
  expect((await wharf(logIn, { input: robot.secret })).code).toBe(0);
  expect((await wharf("apply --yes")).code).toBe(0);
}

async function signIn(): Promise<void> {
  const signed = await wharf(`sign-in ${server.url} -u ${server.admin.username} --password-stdin`, {
    input: server.admin.secret,
  });
  expect(signed.code).toBe(0);
}

const dockerFile = (): string => join(home, ".docker", "config.json");

function delivered(): string {
  const { auths } = JSON.parse(readFileSync(dockerFile(), "utf8"));
  const pair = Buffer.from(auths[server.address].auth, "base64").toString();
  return pair.slice(pair.indexOf(":") + 1);
}

async function isGood(secret: string): Promise<boolean> {
  const answer = await server.fetch("/v2/", { as: { username: robot.username, secret } });
  return answer.status === 200;
}

async function activeTokens(): Promise<number> {
  const answer = await server.api("GET", `/projects/team/robots/bot${robots}/tokens`);
  const { items } = answer as { items: readonly { state: string }[] };
  return items.filter(({ state }) => state === "active").length;
}

/** Goes on with a rotation; false where none is under way. */
async function goesOn(): Promise<boolean> {
  return !(await wharf("rotate team --continue")).err.includes("no rotation of team is under way");
}

/** The engine as the command runs it, with what a test wants to see or break. */
async function rotateInput(change: Partial<RotateInput> = {}): Promise<RotateInput> {
  const surroundings = { env: environment(), cwd: home };
  return {
    surroundings,
    configPath: (await readConfig(surroundings)).path,
    fetch: createFetch({ environment: {}, userAgent: "test" }),
    findIssuer: (login, url) => findTokenIssuer({ ...surroundings, context }, login, url),
    said: () => undefined,
    now: () => Date.now(),
    wait: () => Promise.reject(new Error("nothing here has to be waited for")),
    noWait: false,
    takenUp: false,
    ...change,
  };
}

async function issuerHere(input: RotateInput): Promise<TokenIssuer> {
  const login = (await readConfig(input.surroundings)).logins.get("team");
  const issuer = login === undefined ? undefined : await input.findIssuer(login);
  if (issuer === undefined) throw new Error("nobody is signed in");
  return issuer;
}

/** Ends a rotation as a kill would: nothing runs after that stage. */
async function killAt(stage: RotationStage): Promise<void> {
  const input = await rotateInput({
    said(now) {
      if (now === stage) throw new Error("killed here");
    },
  });
  const fresh = { kind: "issuer", issuer: await issuerHere(input) } as const;
  await expect(beginRotation(context, input, "team", fresh)).rejects.toThrow("killed here");
}

test("a registry of ours makes the new secret; it goes everywhere, and the old one is revoked", async () => {
  await deliver();
  await signIn();
  const rotated = await wharf("rotate team");
  expect([rotated.code, rotated.out]).toEqual([0, expect.stringContaining("new secret everywhere")]);
  expect(delivered()).not.toBe(robot.secret);
  expect([await isGood(delivered()), await isGood(robot.secret), await activeTokens()]).toEqual([
    true,
    false,
    1,
  ]);
  expect(readFileSync(join(home, "wharf.yaml"), "utf8")).toContain("expires: ");
  expect((await wharf("check")).code).toBe(0);
  expect(await goesOn()).toBe(false);
  // Once more, as one document.
  const again = await wharf("rotate team --json");
  expect(JSON.parse(again.out)).toMatchObject({ login: "team", done: true, oldSecret: "revoked" });
  for (const secret of [robot.secret, delivered()]) expect(shown.join("\n")).not.toContain(secret);
});

const STAGES: readonly RotationStage[] = [
  "begun",
  "new secret sealed",
  "proved",
  "delivered",
  "in use",
  "old secret revoked",
];

test.each(STAGES)("killed when %s, it goes on and ends well", async (stage) => {
  await deliver();
  await signIn();
  await killAt(stage);
  // Whatever is delivered at that moment works.
  expect(await isGood(delivered())).toBe(true);
  expect((await wharf("rotate team")).err).toContain("a rotation of team is under way");
  const on = await wharf("rotate team --continue");
  expect([on.code, on.out]).toEqual([0, expect.stringContaining("new secret everywhere")]);
  expect([await isGood(delivered()), await isGood(robot.secret), await activeTokens()]).toEqual([
    true,
    false,
    1,
  ]);
  expect(await goesOn()).toBe(false);
});

test.each(STAGES.slice(0, -1))("killed when %s, it goes back to the old secret", async (stage) => {
  await deliver();
  await signIn();
  await killAt(stage);
  const back = await wharf("rotate team --abort");
  expect([back.code, back.out]).toEqual([0, expect.stringContaining("old secret everywhere")]);
  expect(delivered()).toBe(robot.secret);
  expect([await isGood(robot.secret), await activeTokens()]).toEqual([true, 1]);
  expect(await goesOn()).toBe(false);
  expect((await wharf("check")).code).toBe(0);
});

test("when the old secret is revoked there is no way back, and it can go on", async () => {
  await deliver();
  await signIn();
  await killAt("old secret revoked");
  const back = await wharf("rotate team --abort");
  expect(back.code).toBe(4);
  expect(await isGood(delivered())).toBe(true);
  expect(await goesOn()).toBe(true);
  expect([await goesOn(), await isGood(delivered())]).toEqual([false, true]);
});

test("killed between the registry's new token and the journal, that token is revoked: nobody has its secret", async () => {
  await deliver();
  await signIn();
  const input = await rotateInput();
  const issuer = await issuerHere(input);
  const breaking: TokenIssuer = {
    ...issuer,
    async makeToken(name) {
      await issuer.makeToken(name);
      throw new Error("killed here");
    },
  };
  const broken = { ...input, findIssuer: async () => breaking };
  await expect(beginRotation(context, broken, "team", { kind: "issuer", issuer: breaking })).rejects.toThrow(
    "killed here",
  );
  expect(await activeTokens()).toBe(2);
  expect((await wharf("rotate team --continue")).code).toBe(0);
  expect([await activeTokens(), await isGood(delivered())]).toEqual([1, true]);
});

test("a process killed for real, after whichever line it printed, leaves what --continue finishes", async () => {
  await deliver();
  await signIn();
  for (const line of ["begun:", "sealed:", "proved:", "delivered:"]) {
    const before = delivered();
    const child = Bun.spawn([...wharfFromSource, "rotate", "team"], {
      cwd: home,
      env: { ...environment(), PATH: process.env.PATH ?? "" },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    let seen = "";
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
      seen += chunk;
      if (seen.includes(line)) child.kill("SIGKILL");
    }
    await child.exited;
    expect(seen).toContain(line);
    expect(await isGood(delivered())).toBe(true);
    // It may have come to its end before the signal did.
    if (await goesOn()) expect(await goesOn()).toBe(false);
    expect(delivered()).not.toBe(before);
    expect([await isGood(delivered()), await isGood(before), await activeTokens()]).toEqual([true, false, 1]);
  }
}, 120_000);

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
  expect([await isGood(robot.secret), await activeTokens()]).toEqual([true, 2]);
  writeFileSync(dockerFile(), whole);
  expect((await wharf("rotate team --continue")).code).toBe(0);
  expect([await isGood(delivered()), await isGood(robot.secret)]).toEqual([true, false]);
});

test("a secret from elsewhere is proved first: a wrong one changes nothing, a right one goes everywhere", async () => {
  await deliver();
  const vault = readFileSync(join(home, "wharf.vault"), "utf8");
  const wrong = await wharf("rotate team --password-stdin", { input: "nonsense" });
  expect(wrong.code).toBe(4);
  expect(readFileSync(join(home, "wharf.vault"), "utf8")).toBe(vault);
  expect((await wharf("rotate team")).err).toContain("--password-stdin");
  const made = await server.api("POST", `/projects/team/robots/bot${robots}/tokens`, { name: "by-hand" });
  const rotated = await wharf("rotate team", { answers: [String(made["secret"])] });
  expect([rotated.code, rotated.questions.map(({ hidden }) => hidden)]).toEqual([0, [true]]);
  expect(rotated.err).toContain(`the old secret is still good: delete it at ${server.address}`);
  expect(delivered()).toBe(String(made["secret"]));
  expect(await isGood(robot.secret)).toBe(true);
});

test("a person's own token, and a robot of the site, are rotated as well", async () => {
  await server.createUser("alice", "a-long-password-of-alice");
  const alice = await server.api("POST", "/users/alice/tokens", { name: "laptop" });
  const site = await server.api("POST", "/robots", { name: "nodes", projects: ["team"] });
  await signIn();
  const logins = [
    { username: "alice", secret: String(alice["secret"]) },
    { username: String(site["username"]), secret: String(site["secret"]) },
  ];
  for (const login of logins) {
    robot = login;
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
  const made = await server.api("POST", `/projects/team/robots/bot${robots}/tokens`, { name: "renewed" });
  writeFileSync(join(home, "next"), `${String(made["secret"])}\n`);
  const path = join(home, "wharf.yaml");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/( +)username: .*\n/, `$&$1renew: [/bin/cat, ${join(home, "next")}]\n`));
  const untrusted = await wharf("rotate team");
  expect([untrusted.code, untrusted.err]).toEqual([4, expect.stringContaining("wharf trust")]);
  expect((await wharf("trust --yes")).err).toContain("/bin/cat");
  expect((await wharf("rotate team")).code).toBe(0);
  expect(delivered()).toBe(String(made["secret"]));
  expect(await isGood(robot.secret)).toBe(false);
});

test("a folder has to be rolled out first: the old secret stays good until somebody says that it is", async () => {
  mkdirSync(join(home, "out"));
  await deliver('  - { to: kubernetes, at: "folder:out", name: regcred, namespace: ml }\n');
  await signIn();
  const half = await wharf("rotate team");
  expect([half.code, half.err]).toEqual([3, expect.stringContaining("remains: roll out folder:out")]);
  expect(await isGood(robot.secret)).toBe(true);
  expect((await wharf("rotate team --continue")).code).toBe(3);
  expect((await wharf("rotate team --continue --taken-up")).code).toBe(0);
  expect(await isGood(robot.secret)).toBe(false);
});

test("nobody can say that something is taken up before it is delivered", async () => {
  mkdirSync(join(home, "out"));
  await deliver('  - { to: kubernetes, at: "folder:out", name: regcred, namespace: ml }\n');
  await signIn();
  expect((await wharf("rotate team --taken-up")).code).toBe(2);
  await killAt("proved");
  const early = await wharf("rotate team --continue --taken-up");
  expect([early.code, early.err]).toEqual([3, expect.stringContaining("remains: roll out folder:out")]);
  expect(await isGood(robot.secret)).toBe(true);
  expect((await wharf("rotate team --continue --taken-up")).code).toBe(0);
  expect(await isGood(robot.secret)).toBe(false);
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
  const report = await beginRotation(context, input, "team", { kind: "issuer", issuer });
  expect([report.isDone, report.remaining]).toMatchObject([false, [{ kind: "target", consumer: "docker" }]]);
  expect([await isGood(delivered()), await isGood(robot.secret)]).toEqual([true, true]);
  expect((await wharf("rotate team --continue")).code).toBe(0);
  expect([await isGood(delivered()), await isGood(robot.secret)]).toEqual([true, false]);
});

test("the journal is sealed: no secret is in a file but the vault's ciphertext and what is delivered", async () => {
  await deliver();
  await signIn();
  await killAt("new secret sealed");
  for (const name of readdirSync(home).filter((entry) => entry.startsWith("wharf."))) {
    const text = readFileSync(join(home, name), "utf8");
    expect(text).not.toContain(robot.secret);
    expect(text).not.toContain(Buffer.from(robot.secret).toString("base64"));
  }
  expect(String(new Secret(robot.secret))).toBe("[secret]");
  expect((await wharf("rotate team --continue")).code).toBe(0);
});

test("revoke takes every copy away, then the token at our registry; unreachable ones later", async () => {
  mkdirSync(join(home, "out"));
  await deliver('  - { to: kubernetes, at: "folder:out", name: regcred, namespace: ml }\n');
  await signIn();
  const whole = readFileSync(dockerFile(), "utf8");
  writeFileSync(dockerFile(), "{ broken");
  const first = await wharf("revoke team --revoke-token");
  expect([first.code, first.err]).toEqual([
    3,
    expect.stringMatching(/1 of 3 targets could not be reached[^]*its token is revoked/),
  ]);
  expect(await isGood(robot.secret)).toBe(false);
  expect(
    readdirSync(join(home, "out"), { recursive: true, withFileTypes: true }).some((one) => one.isFile()),
  ).toBe(false);
  writeFileSync(dockerFile(), whole);
  const second = await wharf("revoke team");
  expect([second.code, second.err]).toEqual([0, expect.stringContaining("1 file changed")]);
  expect(readdirSync(join(home, ".docker"))).toEqual([]);
});

test("revoke asks before it revokes the token; a no leaves it, and a registry that is away keeps the login", async () => {
  await deliver();
  await signIn();
  await killAt("delivered");
  const rotated = delivered();
  const store = join(home, ".config", "wharf", "sign-ins.json");
  const signIns = readFileSync(store, "utf8");
  writeFileSync(store, signIns.replaceAll(/"secret": "[^"]*"/g, '"secret": "worthless"'));
  const away = await wharf("revoke team", { answers: ["y"] });
  expect([away.code, away.err]).toEqual([3, expect.stringContaining("so the login stays here")]);
  writeFileSync(store, signIns);
  const asked = await wharf("revoke team", { answers: ["y"] });
  expect([asked.code, asked.questions.map(({ text }) => text)]).toEqual([
    0,
    [`revoke its token at ${server.url} too?`],
  ]);
  // Both that the rotation held.
  expect([await isGood(robot.secret), await isGood(rotated), await activeTokens()]).toEqual([
    false,
    false,
    0,
  ]);
});

test("revoke finds Docker Hub's login under every spelling, and leaves what is somebody else's", async () => {
  const secret = crypto.randomUUID();
  writeFileSync(join(home, "secret"), secret);
  writeFileSync(
    join(home, "wharf.yaml"),
    "version: 1\nlogins:\n  hub: { registry: docker.io, username: acme, password: { file: secret } }\ndeliver:\n  - { to: docker, at: local }\n  - { to: podman, at: local }\n",
  );
  expect((await wharf("apply --yes")).code).toBe(0);
  const auth = Buffer.from(`acme:${secret}`).toString("base64");
  const theirs = Buffer.from("me:mine").toString("base64");
  const podmanFile = join(home, ".config", "containers", "auth.json");
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
