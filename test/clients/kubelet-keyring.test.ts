/**
 * The kubelet's own keyring code (k8s.io/kubernetes 1.36.3) judges what we write and how we read: it is asked the same as our reader, for
 * made-up Secrets and node files, and what it would try first must be what we say.
 */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { type ConsumerLogin, isCovered } from "#consumers";
import { kubelet } from "#consumers/kubelet";
import { kubernetes } from "#consumers/kubernetes";
import { Secret } from "#core";
import type { MatchAnswer, Target } from "../../src/consumers/contract.ts";
import { auths, configs, images } from "../support/docker-config-samples.ts";
import { kubeletCases, userOf } from "../support/kubelet-cases.ts";
import { askKubelet, type KeyringAnswer, type KeyringTry, pullSecret } from "../support/kubelet-keyring.ts";
import { needs } from "../support/programs.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";

const CASES = 1_500;
const TIMEOUT_MS = 120_000;
const withKubelet = needs("kube");
const PATH = "/regcred.yaml";
const target: Target = { home: "", user: "u", uid: 1000, env: {} };

let scratch: Scratch;
let empty: string;
beforeAll(() => {
  scratch = createScratch("keyring");
  empty = scratch.at("empty");
  mkdirSync(empty);
});
afterAll(() => scratch.remove());

const b64 = (text: string): string => Buffer.from(text).toString("base64");

function samples<T>(arbitrary: fc.Arbitrary<T>, seed: number): readonly T[] {
  return fc.sample(arbitrary, { seed, numRuns: CASES });
}

/** Is what our reader says what the kubelet does? Gives the difference in words, or undefined. */
function differs(
  ours: MatchAnswer,
  theirs: readonly KeyringTry[],
  fails: string | undefined,
): string | undefined {
  const shown = theirs.map(({ username, password }) => `${username}:${password}`);
  const said = JSON.stringify(ours);
  const wrong = `we say ${said}, the kubelet ${fails ?? JSON.stringify(shown)}`;
  const [first] = shown;
  if (ours.kind !== "login") {
    // An empty entry that is another spelling of a good one: any order.
    const done =
      fails !== undefined || shown.includes(":") ? "broken" : first === undefined ? "anonymous" : "login";
    return ours.kind === done ? undefined : wrong;
  }
  const { username, secret, shadows } = ours.match;
  const others = shadows.filter((text) => /is tried next$|in any order$/.test(text)).length;
  if (fails !== undefined || shown.length !== others + 1) return wrong;
  // Two spellings of one key: the order is that of a Go map.
  const same = shadows.filter((text) => text.endsWith("in any order")).length;
  return shown.slice(0, same + 1).includes(`${username}:${secret.reveal()}`) ? undefined : wrong;
}

function compareAll(
  answers: readonly KeyringAnswer[],
  read: (index: number, image: string) => MatchAnswer,
  show: (index: number) => string,
): number {
  let logins = 0;
  const found: string[] = [];
  answers.forEach((answer, index) => {
    images.forEach((image, at) => {
      const tries = answer.tries[at] ?? [];
      if (tries.length > 0) logins++;
      const difference = differs(read(index, image), tries, answer.fails);
      if (difference !== undefined) found.push(`${image}: ${difference}\n${show(index)}`);
    });
  });
  if (found.length > 0) throw new Error(`${found.length} differ:\n${found.slice(0, 8).join("\n")}`);
  return logins;
}

describe("the reader of a pull secret", () => {
  withKubelet(
    `says what the kubelet's keyring does, for ${CASES} made-up Secrets`,
    async () => {
      const texts = samples(configs, 41).map((config) => JSON.stringify(config));
      const answers = await askKubelet(
        texts.map((text) => ({ secrets: [pullSecret(text)], root: empty, images })),
        empty,
      );
      const files = texts.map((text) => {
        const yaml = `kind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata: {name: regcred}\ndata:\n  .dockerconfigjson: ${b64(text)}\n`;
        return new Map([[PATH, Buffer.from(yaml)]]);
      });
      const logins = compareAll(
        answers,
        (index, image) => kubernetes.match(files[index] ?? new Map(), image, target),
        (index) => texts[index] ?? "",
      );
      expect(logins).toBeGreaterThan(CASES);
    },
    TIMEOUT_MS,
  );
});

describe("what a pull secret does", () => {
  withKubelet("each trap is the kubelet's own", async () => {
    const answers = await askKubelet(
      kubeletCases.map(([, config, image]) => ({
        secrets: [pullSecret(config)],
        root: empty,
        images: [image],
      })),
      empty,
    );
    const seen = answers.map(({ tries, fails }, index) => {
      const [name = "", config, , wanted = ""] = kubeletCases[index] ?? [];
      const users = (tries[0] ?? []).map(({ username, password }) => (password === "p" ? username : ":"));
      const isBroken = fails !== undefined || (tries[0]?.[0]?.username === "" && users[0] === ":");
      const done = isBroken ? "broken" : users.length === 0 ? "anonymous" : users.join(" ");
      // Cases with other users than their keys tell at least how many are tried.
      const isNamed = JSON.stringify(config).includes(Buffer.from(`${users[0]}:p`).toString("base64"));
      const said = /^(?:broken|anonymous)$/.test(wanted)
        ? wanted
        : wanted
            .split(" ")
            .map((key, at) => (isNamed && key !== "" ? userOf(key) : (users[at] ?? "")))
            .join(" ");
      return [name, done, said];
    });
    expect(seen.map(([name, done]) => [name, done])).toEqual(seen.map(([name, , said]) => [name, said]));
  });

  withKubelet("several Secrets: in the pod's order for one key, the longer path before all", async () => {
    const entry = (user: string): object => ({ auth: b64(`${user}:p`) });
    const secrets = [
      pullSecret({ auths: { "a.example": entry("first") } }),
      pullSecret({ auths: { "a.example": entry("second"), "a.example/team/": entry("team") } }),
      { ...(pullSecret({}) as object), type: "Opaque" },
    ];
    const broken = pullSecret({ auths: { "else.example": { auth: b64("nocolon") } } });
    const [good, fails] = await askKubelet(
      [
        { secrets, root: empty, images: ["a.example/team/x", "a.example/x"] },
        { secrets: [...secrets, broken], root: empty, images: ["a.example/x"] },
      ],
      empty,
    );
    expect(good?.tries.map((tries) => tries.map(({ username }) => username))).toEqual([
      ["team", "first", "second"],
      ["first", "second"],
    ]);
    expect(fails?.fails).toContain("unable to parse auth field");
  });

  withKubelet("the pod's Secrets come before the node's file, and both are tried", async () => {
    const root = scratch.at("both");
    mkdirSync(root);
    writeFileSync(
      scratch.at("both", "config.json"),
      JSON.stringify({ auths: { "a.example/team/app": { auth: b64("node:p") } } }),
    );
    const secrets = [pullSecret({ auths: { "a.example": { auth: b64("pod:p") } } })];
    const [answer] = await askKubelet([{ secrets, root, images: ["a.example/team/app"] }], empty);
    expect(answer?.tries[0]?.map(({ username }) => username)).toEqual(["pod", "node"]);
  });

  withKubelet("the old form of a Secret, a bare map of entries, is read", async () => {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/dockercfg",
      metadata: { name: "old" },
      data: { ".dockercfg": b64(JSON.stringify({ "https://a.example": { auth: b64("old:p") } })) },
    };
    const [answer] = await askKubelet([{ secrets: [secret], root: empty, images: ["a.example/x"] }], empty);
    expect(answer?.tries).toEqual([[{ username: "old", password: "p" }]]);
  });
});

describe("the law, judged by the kubelet itself", () => {
  const scopes = fc.record({
    registry: fc.constantFrom("a.example", "a.example:5000", "b.a.example", "docker.io", "127.0.0.1:5000"),
    path: fc.constantFrom(undefined, undefined, "team", "team-b", "team/app", "library", "org"),
  });
  const lists = fc
    .uniqueArray(scopes, {
      minLength: 1,
      maxLength: 5,
      selector: ({ registry, path }) => `${registry}/${path ?? ""}`,
    })
    .chain((list) =>
      fc.tuple(
        ...list.map(({ registry, path }, index) =>
          fc
            .tuple(
              fc.constantFrom("robot$team+ci", "$oauthtoken", "user", "_json_key"),
              fc.constantFrom("word", 'a"b\\c', "p:q", "ä€ ", '{"type":"service_account"}', "\n x"),
            )
            .map(([user, word]): ConsumerLogin => {
              const secret = new Secret(`${word}${index}`);
              return { name: `l${index}`, registry, path, username: `${user}${index}`, secret };
            }),
        ),
      ),
    );

  withKubelet(
    "a login that we write is sent for every image that it covers, and for no other that was not said",
    async () => {
      const all = samples(lists, 43);
      const compiled = all.map((logins) => kubernetes.compile(logins, target));
      const secrets = compiled.map(({ documents }) => {
        const [document] = documents;
        const content = document && kubernetes.merge(undefined, document, new Set()).content;
        return Bun.YAML.parse(Buffer.from(content ?? "").toString());
      });
      const answers = await askKubelet(
        secrets.map((secret) => ({ secrets: [secret], root: empty, images })),
        empty,
      );
      // Where Hub is served from is another host to the kubelet, and `localhost` without a port is Hub to it.
      const judged = images.filter((image) => !/^(?:registry-1|localhost\/)/.test(image));
      for (const [index, logins] of all.entries()) {
        const { warnings = [], refusals = [] } = compiled[index] ?? {};
        for (const image of judged) {
          const repository = nameOf(image);
          const owner = logins
            .filter((login) => !refusals.some((refusal) => refusal.login === login.name))
            .filter(
              (login) =>
                repository.startsWith(`${login.registry}/`) &&
                isCovered(login, repository.slice(login.registry.length + 1)),
            )
            .sort((a, b) => (b.path?.length ?? -1) - (a.path?.length ?? -1))[0];
          const [first] = answers[index]?.tries[images.indexOf(image)] ?? [];
          const user = logins.find((login) => login.username === first?.username);
          if (user !== undefined) expect(first?.password).toBe(user.secret.reveal());
          if (user === owner) continue;
          // Which is said: a repository of exactly the login's name, or one whose name begins alike.
          const isSaid = warnings.some(
            ({ kind, login }) =>
              (kind === "wider" && login === user?.name) || (kind === "format" && login === owner?.name),
          );
          if (!isSaid)
            throw new Error(`${image}: ${user?.name} instead of ${owner?.name} ${JSON.stringify(logins)}`);
        }
      }
    },
    TIMEOUT_MS,
  );
});

/** An image's registry and repository, Hub's written out. */
function nameOf(image: string): string {
  const name = image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  if (name.startsWith("index.docker.io/")) return name.replace(/^index\./, "");
  if (/^[^/]*[.:][^/]*\//.test(name)) return name;
  return name.includes("/") ? `docker.io/${name}` : `docker.io/library/${name}`;
}

describe("the reader of a node's file", () => {
  withKubelet(
    `says what the kubelet does with its config.json or .dockercfg, for ${CASES} made-up files`,
    async () => {
      const forms = fc.oneof(
        {
          weight: 4,
          arbitrary: configs.map((config) => ({ name: "config.json", text: JSON.stringify(config) })),
        },
        { weight: 2, arbitrary: auths.map((map) => ({ name: ".dockercfg", text: JSON.stringify(map) })) },
        {
          weight: 1,
          arbitrary: fc
            .constantFrom("", "null", "[]", "{", '"x"', "﻿{}", '{"auths":{}} x')
            .map((text) => ({ name: "config.json", text })),
        },
      );
      const files = samples(forms, 42);
      files.forEach(({ name, text }, index) => {
        mkdirSync(scratch.at("nodes", String(index)), { recursive: true });
        writeFileSync(scratch.at("nodes", String(index), name), text);
      });
      const answers = await askKubelet(
        files.map((_, index) => ({ root: scratch.at("nodes", String(index)), images })),
        empty,
      );
      compareAll(
        answers.map((answer, index) => {
          // What cannot be decoded is passed over in silence, which we call broken: there is no login in either case.
          const { name = "", text = "" } = files[index] ?? {};
          const read = kubelet.match(new Map([[`/n/${name}`, Buffer.from(text)]]), "a.example/x", node);
          return read.kind === "broken" && answer.tries.every((tries) => tries.length === 0)
            ? { ...answer, fails: "passed over" }
            : answer;
        }),
        (index, image) => {
          const { name = "", text = "" } = files[index] ?? {};
          return kubelet.match(new Map([[`/n/${name}`, Buffer.from(text)]]), image, node);
        },
        (index) => JSON.stringify(files[index]),
      );
    },
    TIMEOUT_MS,
  );
});

const node: Target = { ...target, options: { file: "/n/config.json" } };
