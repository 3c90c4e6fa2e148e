/** Our readers' answers against what the real programs send, over one scripted registry: they know best how they read. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Consumer, type ConsumerLogin, findConsumer, type MatchAnswer, type Target } from "#consumers";
import { Secret } from "#core";
import { needs, programPath } from "../support/programs.ts";
import { runProgram } from "../support/run-program.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import { type Shown, startTokenRecorder, type TokenRecorder } from "../support/token-recorder.ts";

let scratch: Scratch;
let registry: TokenRecorder;
let elsewhere: TokenRecorder;

beforeAll(() => {
  scratch = createScratch("readers");
  registry = startTokenRecorder();
  elsewhere = startTokenRecorder({ realmHost: "localhost" });
  mkdirSync(scratch.at("bin"));
  // What docker's and podman's helper protocol asks for; it knows one host alone.
  writeFileSync(
    scratch.at("bin/docker-credential-scripted"),
    `#!/bin/sh
read -r host
case "$1:$host" in
get:${registry.host}) printf '{"ServerURL":"%s","Username":"from-helper","Secret":"helper-word"}' "$host" ;;
*) printf 'credentials not found in native keychain'; exit 1 ;;
esac
`,
  );
  chmodSync(scratch.at("bin/docker-credential-scripted"), 0o755);
});

afterAll(async () => {
  await registry.stop();
  await elsewhere.stop();
  scratch.remove();
});

const b64 = (text: string): string => Buffer.from(text).toString("base64");
const entry = (pair: string): object => ({ auth: b64(pair) });
const consumer = (name: string): Consumer => {
  const found = findConsumer(name);
  if (found === undefined) throw new Error(`no consumer ${name}`);
  return found;
};

/** An empty home with these files (`~/` is the home), and the target that describes it. */
function home(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): Target {
  rmSync(scratch.at("home"), { recursive: true, force: true });
  mkdirSync(scratch.at("home"));
  for (const [name, text] of Object.entries(files)) {
    const path = scratch.at("home", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o600 });
  }
  const all = Object.fromEntries(
    Object.entries({ XDG_RUNTIME_DIR: "~/run", ...env }).map(([name, value]) => [
      name,
      value.replace("~", scratch.at("home")),
    ]),
  );
  return { home: scratch.at("home"), user: "u", uid: process.getuid?.() ?? 0, env: all, version: "28.2.2" };
}

async function answerOf(name: string, target: Target, image: string): Promise<MatchAnswer> {
  const found = new Map<string, Uint8Array>();
  for (const path of consumer(name).files(target)) {
    const file = Bun.file(path);
    if (await file.exists()) found.set(path, await file.bytes());
  }
  return consumer(name).match(found, image, target);
}

/** What the answer means on the wire. */
function expected(answer: MatchAnswer): Shown | "broken" {
  if (answer.kind === "anonymous") return { kind: "anonymous" };
  if (answer.kind === "broken") return "broken";
  if (answer.kind === "helper") return { kind: "basic", username: "from-helper", secret: "helper-word" };
  const { username, secret, identityToken } = answer.match;
  return identityToken
    ? { kind: "identity", secret: secret.reveal() }
    : { kind: "basic", username, secret: secret.reveal() };
}

function environment(target: Target): Record<string, string> {
  return { ...target.env, HOME: target.home, PATH: `${scratch.at("bin")}:/usr/bin:/bin` };
}

async function sentByDocker(target: Target, image: string): Promise<readonly Shown[]> {
  registry.take();
  await runProgram([programPath("docker"), "manifest", "inspect", "--insecure", image], {
    env: environment(target),
    timeoutMs: 30_000,
  });
  return registry.take();
}

async function sentBySkopeo(target: Target, image: string): Promise<readonly Shown[]> {
  registry.take();
  await runProgram([programPath("skopeo"), "inspect", "--raw", "--tls-verify=false", `docker://${image}`], {
    env: environment(target),
    timeoutMs: 30_000,
  });
  return registry.take();
}

/** Contents of a config.json; HOST stands for the registry. */
const contents: readonly [string, object][] = [
  ["an entry", { auths: { HOST: entry("u:p") } }],
  ["a colon in the password", { auths: { HOST: entry("u:p:q") } }],
  ["a URL as key", { auths: { "http://HOST/v1/": entry("u:p") } }],
  ["the inline pair", { auths: { HOST: { username: "u", password: "p" } } }],
  ["auth before the inline pair", { auths: { HOST: { ...entry("a:b"), username: "u", password: "p" } } }],
  ["an identity token", { auths: { HOST: { ...entry("u:"), identitytoken: "token" } } }],
  ["an identity token alone", { auths: { HOST: { identitytoken: "token" } } }],
  ["no entry", { auths: { "else.example": entry("u:p") } }],
  ["an empty entry", { auths: { HOST: {} } }],
  ["another port", { auths: { "127.0.0.1:1": entry("u:p") } }],
  ["a slash at the end", { auths: { "HOST/": entry("u:p") } }],
  ["one entry with a path", { auths: { "HOST/team": entry("team:p") } }],
  ["a path that is the text's beginning alone", { auths: { "HOST/te": entry("te:p") } }],
  ["host and path", { auths: { HOST: entry("host:p"), "HOST/team": entry("team:p") } }],
  ["host and repository", { auths: { HOST: entry("host:p"), "HOST/team/x": entry("x:p") } }],
  ["a field in another case", { Auths: { HOST: { Auth: b64("u:p") } } }],
  ["credHelpers", { auths: { HOST: entry("u:p") }, credHelpers: { HOST: "scripted" } }],
  ["credHelpers and a path", { auths: { "HOST/team": entry("u:p") }, credHelpers: { HOST: "scripted" } }],
  ["credsStore", { auths: { HOST: entry("u:p") }, credsStore: "scripted" }],
  ["nothing", {}],
];

function filled(content: object): string {
  return JSON.stringify(content).replaceAll("HOST", registry.host);
}

describe("docker's reader against the real docker", () => {
  for (const [name, content] of contents) {
    needs("docker")(`${name}`, async () => {
      const target = home({ ".docker/config.json": filled(content) });
      const wanted = expected(await answerOf("docker", target, `${registry.host}/team/x:1`));
      expect(wanted).not.toBe("broken");
      const sent = await sentByDocker(target, `${registry.host}/team/x:1`);
      expect(sent.length).toBeGreaterThan(0);
      for (const shown of sent) expect<Shown | "broken">(shown).toEqual(wanted);
    });
  }

  for (const [name, content] of [
    ["paths alone are taken at random", { auths: { "HOST/a": entry("a:p"), "HOST/b": entry("b:p") } }],
    [
      "an entry that cannot be decoded hides others at random",
      { auths: { HOST: entry("u:p"), other: { auth: b64("nocolon") } } },
    ],
  ] as const) {
    needs("docker")(
      `broken: ${name}`,
      async () => {
        const target = home({ ".docker/config.json": filled(content) });
        expect((await answerOf("docker", target, `${registry.host}/team/x`)).kind).toBe("broken");
        const seen = new Set<string>();
        // A coin thrown 40 times: the same side every time once in 10^12 runs.
        for (let run = 0; run < 40 && seen.size < 2; run++)
          for (const shown of await sentByDocker(target, `${registry.host}/team/x:1`))
            seen.add(JSON.stringify(shown));
        expect(seen.size).toBe(2);
      },
      120_000,
    );
  }

  needs("docker")("DOCKER_CONFIG names the folder", async () => {
    const target = home(
      { "other/config.json": filled({ auths: { HOST: entry("u:p") } }) },
      { DOCKER_CONFIG: "~/other" },
    );
    const wanted = expected(await answerOf("docker", target, `${registry.host}/team/x:1`));
    expect(wanted).toMatchObject({ username: "u" });
    const [sent] = await sentByDocker(target, `${registry.host}/team/x:1`);
    expect<Shown | "broken" | undefined>(sent).toEqual(wanted);
  });
});

describe("podman's reader against the real skopeo", () => {
  for (const [name, content] of contents) {
    needs("skopeo")(`${name}`, async () => {
      const target = home({ ".config/containers/auth.json": filled(content) });
      await comparePodman(target);
    });
  }

  const one = (user: string): string => JSON.stringify({ auths: { HOST: entry(`${user}:p`) } });
  const places: readonly [string, Record<string, string>, Record<string, string>][] = [
    [
      "the runtime folder first",
      { "run/containers/auth.json": one("run"), ".config/containers/auth.json": one("config") },
      {},
    ],
    [
      "then the persistent file",
      { ".config/containers/auth.json": one("config"), ".docker/config.json": one("docker") },
      {},
    ],
    [
      "then docker's",
      { ".config/containers/auth.json": JSON.stringify({ auths: {} }), ".docker/config.json": one("docker") },
      {},
    ],
    ["then the old one", { ".dockercfg": JSON.stringify({ HOST: entry("old:p") }) }, {}],
    [
      "an empty entry passes on to the next file",
      {
        "run/containers/auth.json": JSON.stringify({ auths: { HOST: {} } }),
        ".docker/config.json": one("docker"),
      },
      {},
    ],
    [
      "REGISTRY_AUTH_FILE alone",
      { "only.json": JSON.stringify({ auths: {} }), ".config/containers/auth.json": one("config") },
      { REGISTRY_AUTH_FILE: "~/only.json" },
    ],
    [
      "DOCKER_CONFIG",
      { "docker/config.json": one("folder"), ".config/containers/auth.json": one("config") },
      { DOCKER_CONFIG: "~/docker" },
    ],
    ["XDG_CONFIG_HOME", { "xdg/containers/auth.json": one("xdg") }, { XDG_CONFIG_HOME: "~/xdg" }],
    ["an empty file", { ".config/containers/auth.json": "", ".docker/config.json": one("docker") }, {}],
    [
      "bad base64",
      { ".config/containers/auth.json": JSON.stringify({ auths: { HOST: { auth: "%%%" } } }) },
      {},
    ],
    [
      "bad base64 of another host",
      {
        ".config/containers/auth.json": JSON.stringify({
          auths: { HOST: entry("u:p"), "b.example": { auth: "%%%" } },
        }),
      },
      {},
    ],
    [
      "an auth without a colon",
      {
        ".config/containers/auth.json": JSON.stringify({ auths: { HOST: { auth: b64("nocolon") } } }),
        ".docker/config.json": one("docker"),
      },
      {},
    ],
    ["garbage", { ".config/containers/auth.json": "{", ".docker/config.json": one("docker") }, {}],
  ];
  for (const [name, files, env] of places) {
    needs("skopeo")(name, async () => {
      const text = Object.fromEntries(Object.entries(files).map(([path, value]) => [path, hosted(value)]));
      await comparePodman(home(text, env));
    });
  }

  async function comparePodman(place: Target): Promise<void> {
    const { out } = await runProgram([programPath("skopeo"), "--version"]);
    const target = { ...place, version: / (\d+\.\d+)/.exec(out)?.[1] ?? "" };
    const wanted = expected(await answerOf("podman", target, `${registry.host}/team/x:1`));
    const sent = await sentBySkopeo(target, `${registry.host}/team/x:1`);
    if (wanted === "broken") {
      expect(sent).toEqual([]);
      return;
    }
    expect(sent.length).toBeGreaterThan(0);
    for (const shown of sent) expect<Shown>(shown).toEqual(wanted);
  }
});

/** The table above is made before the registry has a port. */
function hosted(text: string): string {
  return text.replaceAll("HOST", registry.host);
}

describe("what we write, read by the real programs", () => {
  const login = (extra: Partial<ConsumerLogin> = {}): ConsumerLogin => ({
    name: "l",
    registry: registry.host,
    path: undefined,
    username: "robot$team+ci",
    secret: new Secret(`p:"$#\\ ${crypto.randomUUID()}`),
    ...extra,
  });

  const before: readonly [string, object | undefined][] = [
    ["no file", undefined],
    ["credsStore", { credsStore: "scripted", auths: { HOST: {} } }],
    ["entries with paths", { auths: { "HOST/a": entry("a:p"), "HOST/b": entry("b:p") } }],
    ["a stale identity token", { auths: { HOST: { ...entry("old:"), identitytoken: "old" } } }],
  ];
  for (const [name, content] of before) {
    needs("docker")(`docker, over ${name}`, async () => {
      const target = home({});
      const ours = login();
      const [document] = consumer("docker").compile([ours], target).documents;
      if (document === undefined) throw new Error("no document");
      const current = content === undefined ? undefined : Buffer.from(filled(content));
      const merged = consumer("docker").merge(current, document, new Set());
      mkdirSync(dirname(document.path), { recursive: true });
      await Bun.write(document.path, merged.content ?? "");
      const sent = await sentByDocker(target, `${registry.host}/team/x:1`);
      expect(sent.length).toBeGreaterThan(0);
      for (const shown of sent)
        expect(shown).toEqual({ kind: "basic", username: ours.username, secret: ours.secret.reveal() });
    });
  }

  needs("skopeo")("podman, two logins on one host by path, and an identity token", async () => {
    const target = home({});
    const logins = [
      login({ name: "host" }),
      login({ name: "team", path: "team", username: "team", secret: new Secret("team-word") }),
      login({
        name: "token",
        path: "azure",
        username: "00000000-0000-0000-0000-000000000000",
        identityToken: true,
      }),
    ];
    const [document] = consumer("podman").compile(logins, target).documents;
    if (document === undefined) throw new Error("no document");
    mkdirSync(dirname(document.path), { recursive: true });
    await Bun.write(document.path, consumer("podman").merge(undefined, document, new Set()).content ?? "");
    for (const [repository, user] of [
      ["team/x", "team"],
      ["team-b/x", "robot$team+ci"],
      ["other", "robot$team+ci"],
    ] as const) {
      const [sent] = await sentBySkopeo(target, `${registry.host}/${repository}:1`);
      expect(sent).toMatchObject({ kind: "basic", username: user });
    }
    const [sent] = await sentBySkopeo(target, `${registry.host}/azure/x:1`);
    expect(sent?.kind).toBe("identity");
  });
});

describe("enroot's file, read by the real curl", () => {
  /** As Enroot 4 calls it, with the token endpoint on another name than the registry. */
  async function sentByCurl(path: string): Promise<readonly Shown[]> {
    elsewhere.take();
    await runProgram([programPath("curl"), "-sS", "-G", "--netrc-file", path, "--", elsewhere.realm], {
      env: { PATH: "/usr/bin:/bin", HOME: scratch.at("home") },
    });
    return elsewhere.take();
  }

  function enrootHome(text: string): Target {
    return {
      ...home({ ".config/enroot/.credentials": text }),
      versions: { curl: "7.88.1" },
      realmHosts: { [elsewhere.host]: ["localhost"] },
    };
  }

  const both = (password: string): string =>
    `machine 127.0.0.1 login u password ${password}\nmachine localhost login u password ${password}\n`;
  const files: readonly [string, string][] = [
    ["both hosts", both("word")],
    ["the registry's host alone", "machine 127.0.0.1 login u password word\n"],
    ["a dollar inside", both("a$ecret")],
    ["a hash inside", both("a#bc")],
    ["a quote inside", both('a"b')],
    ["single quotes", both("'abc'")],
    ["backslashes", both("a\\b\\\\c")],
    ["quotes", both('"a b  c"')],
    ["escapes in quotes", both('"a\\"b\\\\c\\td"')],
    ["a colon and umlauts", both("p:ä€")],
    ["a comment before", `# machine localhost login no password no\n${both("word")}`],
    ["no last newline", both("word").trimEnd()],
    ["line ends of Windows", both("word").replaceAll("\n", "\r\n")],
    ["two lines for the token host", `machine localhost login first password one\n${both("word")}`],
    ["a block over lines before", `machine localhost\n  login block\n  password block-word\n${both("word")}`],
    ["default before", `default login d password d-word\n${both("word")}`],
    ["default after", `${both("word")}default login d password d-word\n`],
    [
      "password before login",
      `machine 127.0.0.1 login u password w\nmachine localhost password word login u\n`,
    ],
    [
      "the host in capitals",
      `machine 127.0.0.1 login u password w\nmachine LOCALHOST login u password word\n`,
    ],
    ["a macro before", `macdef init\ncd /\n\n${both("word")}`],
  ];
  for (const [name, text] of files) {
    needs("curl")(name, async () => {
      const target = enrootHome(text);
      const answer = await answerOf("enroot", target, `${elsewhere.host}/team/x:1`);
      const [sent] = await sentByCurl(scratch.at("home/.config/enroot/.credentials"));
      if (answer.kind === "login") expect<Shown | "broken" | undefined>(sent).toEqual(expected(answer));
      else {
        expect(name).toBe("the registry's host alone");
        expect(answer.kind).toBe("broken");
        expect(sent).toEqual({ kind: "anonymous" });
      }
    });
  }

  for (const secret of [
    "word",
    "$lead",
    "#lead",
    '"lead',
    "with space",
    "a\\b c",
    'q"u$o#te',
    " edge ",
    "tab\there",
    "p:ä€",
  ]) {
    needs("curl")(`what we write for ${JSON.stringify(secret)} arrives`, async () => {
      const target = enrootHome("");
      const ours: ConsumerLogin = {
        name: "l",
        registry: elsewhere.host,
        path: undefined,
        username: "$oauthtoken",
        secret: new Secret(secret),
        realmHosts: ["localhost"],
      };
      const [document] = consumer("enroot").compile([ours], target).documents;
      if (document === undefined) throw new Error("no document");
      const merged = consumer("enroot").merge(
        Buffer.from("default login no password no\n"),
        document,
        new Set(),
      );
      await Bun.write(document.path, merged.content ?? "");
      const [sent] = await sentByCurl(document.path);
      expect(sent).toEqual({ kind: "basic", username: "$oauthtoken", secret });
      expect(expected(await answerOf("enroot", target, `${elsewhere.host}/team/x:1`))).toEqual({
        kind: "basic",
        username: "$oauthtoken",
        secret,
      });
    });
  }
});

describe("the Secret, read by the real kubectl", () => {
  needs("kubectl")("what we write is a valid object with our value", async () => {
    const target = { ...home({}), options: { name: "123", namespace: "true" } };
    const ours: ConsumerLogin = {
      name: "l",
      registry: "r.example",
      path: undefined,
      username: "u",
      secret: new Secret("p"),
    };
    const [document] = consumer("kubernetes").compile([ours], target).documents;
    if (document === undefined) throw new Error("no document");
    const path = scratch.at("secret.yaml");
    await Bun.write(path, consumer("kubernetes").merge(undefined, document, new Set()).content ?? "");
    const ran = await runProgram(
      [programPath("kubectl"), "label", "--local", "-f", path, "a=b", "-o", "json"],
      {
        env: { PATH: "/usr/bin:/bin", HOME: scratch.at("home") },
      },
    );
    const read = JSON.parse(ran.out) as {
      type: string;
      metadata: { name: string; namespace: string };
      data: Record<string, string>;
    };
    expect(read.type).toBe("kubernetes.io/dockerconfigjson");
    expect(read.metadata).toMatchObject({ name: "123", namespace: "true" });
    const config: unknown = JSON.parse(
      Buffer.from(read.data[".dockerconfigjson"] ?? "", "base64").toString(),
    );
    expect(config).toEqual({ auths: { "r.example": { auth: b64("u:p") } } });
  });

  needs("kubectl")("what kubectl writes is read, and merged into without loss", async () => {
    const file = scratch.at("docker.json");
    await Bun.write(file, JSON.stringify({ auths: { "a.example": entry("foreign:theirs") } }));
    const ran = await runProgram(
      [
        programPath("kubectl"),
        "create",
        "secret",
        "generic",
        "regcred",
        "--type=kubernetes.io/dockerconfigjson",
        `--from-file=.dockerconfigjson=${file}`,
        "--dry-run=client",
        "-o",
        "yaml",
      ],
      { env: { PATH: "/usr/bin:/bin", HOME: scratch.at("home") } },
    );
    const target = home({ "regcred.yaml": ran.out });
    expect(expected(await answerOf("kubernetes", target, "a.example/x"))).toMatchObject({
      username: "foreign",
    });
    const ours: ConsumerLogin = {
      name: "l",
      registry: "r.example",
      path: undefined,
      username: "u",
      secret: new Secret("p"),
    };
    const [document] = consumer("kubernetes").compile([ours], target).documents;
    if (document === undefined) throw new Error("no document");
    const merged = consumer("kubernetes").merge(Buffer.from(ran.out), document, new Set());
    await Bun.write(document.path, merged.content ?? "");
    for (const [image, user] of [
      ["a.example/x", "foreign"],
      ["r.example/x", "u"],
    ] as const)
      expect(expected(await answerOf("kubernetes", target, image))).toMatchObject({ username: user });
  });
});

test("the scripted registry gives a token to whoever asks, and tells who asked", async () => {
  registry.take();
  await fetch(registry.realm);
  expect(registry.take()).toEqual([{ kind: "anonymous" }]);
});
