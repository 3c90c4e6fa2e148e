/** `wharf import` as people run it: what files and programs hold comes into wharf.yaml and the vault, once, proved, and nothing by stealth. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sealAnsibleVault } from "#ansible";
import { consumers } from "#consumers";
import { Secret } from "#core";
import { runCli } from "./support/run-cli.ts";
import { startTestServer, type TestServer } from "./support/test-server.ts";

const SECRET = ["Qx7pL2", "vN9", "canary"].join("-");
const auth = (user: string, secret = SECRET): string => Buffer.from(`${user}:${secret}`).toString("base64");
const json = (entries: Readonly<Record<string, unknown>>): string => JSON.stringify({ auths: entries });
let home = "";
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(async () => {
  await server.stop();
});
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "wharf-import-")));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

function put(path: string, text: string): string {
  const full = join(home, path);
  mkdirSync(dirname(full), { recursive: true, mode: 0o700 });
  writeFileSync(full, text, { mode: 0o600 });
  return full;
}

interface Document {
  readonly logins: readonly {
    name: string;
    registry: string;
    path: string | null;
    username: string;
    from: string[];
    action: string;
    imported: boolean;
    proof: string | null;
    error: { code: string } | null;
  }[];
  readonly leftOut: readonly { where: string; why: string; kind: string }[];
  readonly unread: readonly { path: string }[];
}

async function run(
  args: readonly string[],
  folder = home,
): Promise<{ code: number; out: string; err: string }> {
  return await runCli(args, { cwd: folder, env: { HOME: folder, PATH: join(folder, "bin") } });
}

async function imported(args: readonly string[], folder = home): Promise<Document & { code: number }> {
  const { code, out } = await run(["import", ...args, "--json"], folder);
  expect(out).not.toContain(SECRET);
  const document = JSON.parse(out) as Document & { error?: unknown };
  expect(document.error).toBeUndefined();
  return { ...document, code };
}

/** What docker would be given from here: `registry user secret`, sorted. */
async function held(folder = home): Promise<readonly string[]> {
  const { out } = await run(["render", "podman"], folder);
  const { auths } = JSON.parse(out) as { auths: Record<string, { auth: string }> };
  return Object.entries(auths)
    .map(([key, entry]) => `${key} ${Buffer.from(entry.auth, "base64").toString()}`)
    .sort();
}

/** The plugin's logins are wharf's own; no program's file is rendered for it. */
const isNoFile = (name: string): boolean => name === "kubelet-plugin";

const unchecked = ["--yes", "--no-verify"];

test("every format that wharf writes is read back to the same login", async () => {
  put("config.json", json({ "registry.example.org": { auth: auth("robot") } }));
  expect((await imported(["config.json", ...unchecked])).code).toBe(0);
  const expected = [`registry.example.org robot:${SECRET}`];
  expect(await held()).toEqual(expected);
  // What a program's own rules want to know is said in its delivery.
  appendFileSync(
    join(home, ".config/wharf/wharf.yaml"),
    "deliver:\n  - { to: runai, at: folder:out, scope: cluster, name: pull }\n  - { to: opensvc, at: folder:out, scope: node, version: 3 }\n",
  );
  const seen: string[] = [];
  for (const { name } of consumers.filter((one) => !isNoFile(one.name))) {
    const options = name === "kubernetes" ? ["--name", "pull"] : [];
    const { code, out, err } = await run(["render", name, ...options]);
    expect({ name, code, err: code === 0 ? "" : err }).toEqual({ name, code: 0, err: "" });
    const folder = join(home, `of-${name}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), out);
    const back = await imported(["file", ...unchecked], folder);
    expect({ name, code: back.code, held: await held(folder) }).toEqual({ name, code: 0, held: expected });
    seen.push(name);
  }
  expect(seen.length).toBe(consumers.length - 1);
}, 60_000);

test("a login that the registry refuses is left out, the others are proved", async () => {
  const { address, admin } = server;
  put("good.json", json({ [address]: { auth: auth(admin.username, admin.secret) } }));
  put("bad.json", json({ [`${address}/team`]: { auth: auth(admin.username) } }));
  const { code, logins } = await imported(["good.json", "bad.json", "--yes"]);
  expect(logins.map((login) => [login.path, login.imported, login.error?.code ?? login.proof])).toEqual([
    [null, true, "proved"],
    ["team", false, "LOGIN_REFUSED"],
  ]);
  expect(code).toBe(3);
  expect(await held()).toEqual([`${address} ${admin.username}:${admin.secret}`]);
  const again = await imported(["good.json"]);
  expect({ code: again.code, left: again.leftOut.map(({ kind }) => kind) }).toEqual({
    code: 0,
    left: ["there"],
  });
}, 60_000);

test("the shapes of the documents that people have: a key without auths, commands with files, a header, netrc, vars", async () => {
  put(
    "gcr.json",
    JSON.stringify({
      "https://eu.registry.example": { auth: auth("_json_key", '{"type":"service_account"}') },
    }),
  );
  put("token", `${SECRET}\n`);
  put(".docker/robots.json", json({ "c.example.org": { auth: auth("c") } }));
  put(
    "make.sh",
    [
      "kubectl create secret docker-registry regcred -n team \\ ",
      '  --docker-server=a.example.org --docker-username=a --docker-password="$(cat token)"',
      "cat token | docker login -u b --password-stdin b.example.org",
      "kubectl create secret generic pull --from-file=.dockerconfigjson=$HOME/.docker/robots.json",
      "docker login -u d -p $TOKEN d.example.org",
    ].join("\n"),
  );
  put(
    "old.def",
    `From: Docker\nUsername: e\nPassword: ${SECRET}\nRegistry: e.example.org\nFrom: team/app:1\n`,
  );
  put(
    ".credentials",
    ["registry-1.docker.io", "auth.docker.io", "nvcr.io", "authn.nvidia.com"]
      .map(
        (host) =>
          `machine ${host} login ${host.includes("docker") ? "hubber" : "$oauthtoken"} password ${SECRET}\n`,
      )
      .join(""),
  );
  put(
    "vars.yml",
    `docker_login_registries:\n- registry: f.example.org\n  username: f\n  password: '${SECRET}'\n`,
  );
  const found = await imported(["gcr.json", "make.sh", "old.def", ".credentials", "vars.yml", ...unchecked]);
  expect(await held()).toEqual(
    [
      'eu.registry.example _json_key:{"type":"service_account"}',
      `a.example.org a:${SECRET}`,
      `b.example.org b:${SECRET}`,
      `c.example.org c:${SECRET}`,
      `e.example.org e:${SECRET}`,
      `docker.io hubber:${SECRET}`,
      `nvcr.io $oauthtoken:${SECRET}`,
      `f.example.org f:${SECRET}`,
    ].sort(),
  );
  expect(found.leftOut.map(({ where, why }) => `${where.slice(home.length + 1)} ${why}`)).toEqual([
    "make.sh:5 its secret is in the variable TOKEN",
  ]);
  expect(found.code).toBe(3);
});

test("a vars file in Ansible Vault, whole and value by value, by its password file", async () => {
  const password = { label: undefined, password: new Secret("a long vault password") };
  const clear = `docker_login_registries:\n- registry: https://index.docker.io/v1/\n  username: hubber\n  password: '${SECRET}'\n`;
  put("whole.yml", sealAnsibleVault(new Secret(clear), password));
  const value = sealAnsibleVault(new Secret(SECRET), password).trim().replaceAll("\n", "\n      ");
  put(
    "values.yml",
    `docker_login_registries:\n- registry: nvcr.io\n  username: $oauthtoken\n  password: !vault |\n      ${value}\n`,
  );
  put("vault-password", "a long vault password\n");
  await imported(["whole.yml", "values.yml", "--vault-password-file", "vault-password", ...unchecked]);
  expect(await held()).toEqual([`docker.io hubber:${SECRET}`, `nvcr.io $oauthtoken:${SECRET}`]);
}, 60_000);

test("the same login is taken once, Hub's spellings are one, and of two for the same images the first", async () => {
  put(
    "one.json",
    json({
      "https://index.docker.io/v1/": { auth: auth("hubber") },
      "https://a.example.org/v1/": { auth: auth("a") },
    }),
  );
  put("two.json", json({ "docker.io": { auth: auth("hubber") }, "a.example.org": { auth: auth("b") } }));
  const { logins, leftOut, code } = await imported(["one.json", "two.json", ...unchecked]);
  expect(logins.map(({ registry, username, from }) => [registry, username, from.length])).toEqual([
    ["docker.io", "hubber", 2],
    ["a.example.org", "a", 1],
  ]);
  expect(leftOut.map(({ kind, why }) => [kind, why.startsWith("a is taken for a.example.org")])).toEqual([
    ["rival", true],
  ]);
  expect(code).toBe(3);
});

test("another secret of a known login renews it; another account for its images does not take its place", async () => {
  put("one.json", json({ "a.example.org": { auth: auth("a", "the-old-secret-1") } }));
  await imported(["one.json", ...unchecked]);
  put("two.json", json({ "a.example.org": { auth: auth("a") } }));
  expect((await imported(["two.json", ...unchecked])).logins.map(({ action }) => action)).toEqual(["renews"]);
  put("three.json", json({ "a.example.org": { auth: auth("z") } }));
  expect((await imported(["three.json", ...unchecked])).leftOut.map(({ kind }) => kind)).toEqual(["rival"]);
  expect(await held()).toEqual([`a.example.org a:${SECRET}`]);
});

test("tokens of a job or a cloud program are left out, unless they are asked for", async () => {
  put(
    "ci.json",
    json({
      "registry.gitlab.com": { auth: auth("gitlab-ci-token") },
      "1.dkr.ecr.eu.amazonaws.com": { auth: auth("AWS") },
    }),
  );
  const { logins, leftOut, code } = await imported(["ci.json", ...unchecked]);
  expect({ logins, kinds: leftOut.map(({ kind }) => kind), code }).toEqual({
    logins: [],
    kinds: ["short-lived", "short-lived"],
    code: 3,
  });
  expect((await imported(["ci.json", "--short-lived", ...unchecked])).logins.length).toBe(2);
});

test("--from reads a program's own files, and says what a helper keeps", async () => {
  put(
    ".docker/config.json",
    JSON.stringify({
      auths: { "a.example.org": { auth: auth("a") }, "b.example.org": {} },
      credsStore: "desktop",
    }),
  );
  put(".config/enroot/.credentials", `machine c.example.org login c password ${SECRET}\n`);
  const { logins, leftOut } = await imported(["--from", "docker", "--from", "enroot", ...unchecked]);
  expect(logins.map(({ registry }) => registry)).toEqual(["a.example.org", "c.example.org"]);
  expect(leftOut.map(({ why }) => why.split(",")[0])).toEqual(["docker-credential-desktop has it"]);
  expect((await run(["import", "--from", "nobody"])).code).not.toBe(0);
});

test("it asks, --dry-run writes nothing, and without a terminal it wants --yes", async () => {
  put("one.json", json({ "a.example.org": { auth: auth("a") } }));
  const env = { HOME: home, PATH: join(home, "bin") };
  const config = join(home, ".config/wharf/wharf.yaml");
  expect((await run(["import", "one.json", "--dry-run"])).code).toBe(0);
  expect((await run(["import", "one.json"])).code).toBe(2);
  const no = await runCli(["import", "one.json", "--no-verify"], { cwd: home, env, answers: ["n"] });
  expect({ code: no.code, asked: no.questions.length, there: existsSync(config) }).toEqual({
    code: 0,
    asked: 1,
    there: false,
  });
  const yes = await runCli(["import", "one.json", "--no-verify"], { cwd: home, env, answers: ["y"] });
  expect({ code: yes.code, out: yes.out }).toEqual({
    code: 0,
    out: "added login a.example.org (not proved)\n",
  });
  expect(yes.out + yes.err).not.toContain(SECRET);
  expect(readFileSync(config, "utf8")).not.toContain(SECRET);
  put("empty.txt", "nothing here\n");
  expect((await run(["import", "empty.txt"])).err).toContain("no login is in these files");
  expect((await run(["import"])).code).toBe(2);
});

test("a file that is not there or no text is said, the others are read", async () => {
  put("one.json", json({ "a.example.org": { auth: auth("a") } }));
  writeFileSync(join(home, "bytes"), new Uint8Array([0, 1, 2]));
  const { unread, logins, code } = await imported(["gone", "bytes", "one.json", ...unchecked]);
  expect({
    unread: unread.map(({ path }) => path.slice(home.length + 1)),
    logins: logins.length,
    code,
  }).toEqual({
    unread: ["gone", "bytes"],
    logins: 1,
    code: 3,
  });
});

test("names are proposed that say the registry, Docker Hub's whole", async () => {
  put(
    "one.json",
    json({
      "https://index.docker.io/v1/": { auth: auth("a") },
      "registry.example.org": { auth: auth("a") },
      "hub.example": { auth: auth("a") },
    }),
  );
  const { logins } = await imported(["one.json", ...unchecked]);
  expect(logins.map(({ name }) => name)).toEqual(["docker.io", "example.org", "hub.example"]);
});
