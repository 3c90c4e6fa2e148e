/** Docker's and podman's files: our readers' answers against what the real programs send, who know best how they read. */
import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { ConsumerLogin, Target } from "#consumers";
import { Secret } from "#core";
import { needs, programPath } from "../support/programs.ts";
import { runProgram } from "../support/run-program.ts";
import type { Shown } from "../support/token-recorder.ts";
import { base64, consumer, entry, expected, useReaders } from "../support/use-readers.ts";

const it = useReaders();
const { home, answerOf, hosted, sentByDocker, sentBySkopeo } = it;

/** Such contents as a text, for the registry that runs. */
const filled = (content: object): string => hosted(JSON.stringify(content));

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
  ["a field in another case", { Auths: { HOST: { Auth: base64("u:p") } } }],
  ["credHelpers", { auths: { HOST: entry("u:p") }, credHelpers: { HOST: "scripted" } }],
  ["credHelpers and a path", { auths: { "HOST/team": entry("u:p") }, credHelpers: { HOST: "scripted" } }],
  ["credsStore", { auths: { HOST: entry("u:p") }, credsStore: "scripted" }],
  ["nothing", {}],
];

describe("docker's reader against the real docker", () => {
  for (const [name, content] of contents) {
    needs("docker")(`${name}`, async () => {
      const target = home({ ".docker/config.json": filled(content) });
      const wanted = expected(await answerOf("docker", target, `${it.registry.host}/team/x:1`));
      expect(wanted).not.toBe("broken");
      const sent = await sentByDocker(target, `${it.registry.host}/team/x:1`);
      expect(sent.length).toBeGreaterThan(0);
      for (const shown of sent) expect<Shown | "broken">(shown).toEqual(wanted);
    });
  }

  for (const [name, content] of [
    ["paths alone are taken at random", { auths: { "HOST/a": entry("a:p"), "HOST/b": entry("b:p") } }],
    [
      "an entry that cannot be decoded hides others at random",
      { auths: { HOST: entry("u:p"), other: { auth: base64("nocolon") } } },
    ],
  ] as const) {
    needs("docker")(
      `broken: ${name}`,
      async () => {
        const target = home({ ".docker/config.json": filled(content) });
        expect((await answerOf("docker", target, `${it.registry.host}/team/x`)).kind).toBe("broken");
        const seen = new Set<string>();
        // Go takes a small map from a random one of eight places on, so one of two entries comes first in one run of eight:
        // the same one 220 times over, once in 10^12 runs of this test.
        for (let run = 0; run < 220 && seen.size < 2; run++)
          for (const shown of await sentByDocker(target, `${it.registry.host}/team/x:1`))
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
    const wanted = expected(await answerOf("docker", target, `${it.registry.host}/team/x:1`));
    expect(wanted).toMatchObject({ username: "u" });
    const [sent] = await sentByDocker(target, `${it.registry.host}/team/x:1`);
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
        ".config/containers/auth.json": JSON.stringify({ auths: { HOST: { auth: base64("nocolon") } } }),
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
    const wanted = expected(await answerOf("podman", target, `${it.registry.host}/team/x:1`));
    const sent = await sentBySkopeo(target, `${it.registry.host}/team/x:1`);
    if (wanted === "broken") {
      expect(sent).toEqual([]);
      return;
    }
    expect(sent.length).toBeGreaterThan(0);
    for (const shown of sent) expect<Shown>(shown).toEqual(wanted);
  }
});

describe("what we write, read by the real programs", () => {
  const login = (extra: Partial<ConsumerLogin> = {}): ConsumerLogin => ({
    name: "l",
    registry: it.registry.host,
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
      const sent = await sentByDocker(target, `${it.registry.host}/team/x:1`);
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
      const [sent] = await sentBySkopeo(target, `${it.registry.host}/${repository}:1`);
      expect(sent).toMatchObject({ kind: "basic", username: user });
    }
    const [sent] = await sentBySkopeo(target, `${it.registry.host}/azure/x:1`);
    expect(sent?.kind).toBe("identity");
  });
});

test("the scripted registry gives a token to whoever asks, and tells who asked", async () => {
  it.registry.take();
  await fetch(it.registry.realm);
  expect(it.registry.take()).toEqual([{ kind: "anonymous" }]);
});
