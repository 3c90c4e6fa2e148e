/**
 * What every consumer promises, looped over all that there are. The law (design, "Contracts"): in the merged file, other people's entries
 * included, a login is used for every image it covers, and whatever else it would be used for is listed as `wider`.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Consumer,
  type ConsumerLogin,
  type FileDocument,
  findConsumer,
  isCovered,
  type Merged,
  type Target,
  type Warning,
} from "#consumers";
import { isAppError, Secret } from "#core";
import { consumerCases } from "../support/consumer-cases.ts";

const parameters = { seed: 20261122, numRuns: 200 };
/** Other work on the machine may make it slow; it does not make it wrong. */
const TIMEOUT_MS = 120_000;

const registries = ["a.example", "a.example:5000", "b.example", "docker.io"] as const;
const paths = [undefined, "team", "team-b", "team/app", "team/app-2", "library"] as const;
const repositories = [
  "library/nginx",
  "team/x",
  "team/app",
  "team/app/sub",
  "team/app-2/y",
  "team-b/x",
  "other/z",
];
const images = [
  ...registries.flatMap((registry) => repositories.map((repository) => `${registry}/${repository}`)),
  ...["tokens.example", "auth.docker.io", "a.example:443"].map((host) => `${host}/team/x`),
];

/** Secrets with everything that has hurt: quotes, `$`, `#`, spaces, colons, JSON. Each holds a word to look for in places where it must not be. */
const secretText = fc
  .tuple(
    fc.constantFrom("", "$", "#", '"', "'", "a b ", "p:", "\\", "{", "ä€", "`"),
    fc.nat({ max: 9999 }),
    fc.constantFrom("", "$x", "#", '"', "\\n", " ", ":", "}", "="),
  )
  .map(([before, number, after]) => `${before}canary${number}${after}`);

const loginList = fc
  .uniqueArray(fc.record({ registry: fc.constantFrom(...registries), path: fc.constantFrom(...paths) }), {
    maxLength: 4,
    selector: (scope) => `${scope.registry}/${scope.path ?? ""}`,
  })
  .chain((scopes) =>
    fc.tuple(
      ...scopes.map((scope, index) =>
        fc
          .record({
            user: fc.constantFrom("robot", "$oauthtoken", "robot$team+ci", "a:b", "", "with space", "*"),
            secret: secretText,
            identityToken: fc.boolean(),
          })
          .map(({ user, secret, identityToken }): ConsumerLogin => {
            const username = user === "" ? "" : `${user}${index}`;
            const token = identityToken && user === "robot" ? { identityToken: true } : {};
            const realmHosts =
              scope.registry === "b.example" ? { realmHosts: ["tokens.example"] } : { realmHosts: [] };
            return {
              name: `login${index}`,
              ...scope,
              username,
              secret: new Secret(secret),
              ...token,
              ...realmHosts,
            };
          }),
      ),
    ),
  );

const foreignPair = fc.nat({ max: 99 }).map((number) => `foreign-${number}:theirs-${number}`);
const b64 = (text: string): string => Buffer.from(text).toString("base64");

const foreignKeys = [
  ...registries,
  ...registries.flatMap((registry) => [
    `${registry}/team`,
    `${registry}/team/app`,
    `https://${registry}/v1/`,
  ]),
  "https://index.docker.io/v1/",
  "index.docker.io",
  "index.docker.io/library/nginx",
  "registry-1.docker.io",
  "*.example",
  "else.example",
];

const foreignJson = fc
  .record({
    auths: fc.uniqueArray(
      fc.tuple(
        fc.constantFrom(...foreignKeys),
        fc.oneof(
          { weight: 8, arbitrary: foreignPair.map((pair): object => ({ auth: b64(pair) })) },
          { weight: 1, arbitrary: foreignPair.map((pair): object => ({ email: "x", auth: b64(pair) })) },
          { weight: 1, arbitrary: fc.constant<object>({ auth: b64("nocolon") }) },
          { weight: 1, arbitrary: fc.constant<object>({}) },
          { weight: 1, arbitrary: fc.constant<object>({ auth: 3 }) },
          { weight: 1, arbitrary: fc.constant<object>({ username: "foreign-inline", password: "theirs" }) },
        ),
      ),
      { maxLength: 5, selector: ([key]) => key },
    ),
    credsStore: fc.option(fc.constant("pass"), { nil: undefined, freq: 8 }),
    credHelpers: fc.option(
      fc.constantFrom(...registries, "https://index.docker.io/v1/").map((key) => ({ [key]: "theirs" })),
      { nil: undefined, freq: 8 },
    ),
    HttpHeaders: fc.option(fc.constant({ "X-Thing": "1" }), { nil: undefined }),
    indent: fc.constantFrom<string | number | undefined>("\t", 2, undefined),
    end: fc.constantFrom("", "\n"),
  })
  .map(({ auths, indent, end, ...rest }) => {
    const body = auths.length === 0 ? rest : { ...rest, auths: Object.fromEntries(auths) };
    return JSON.stringify(body, null, indent) + end;
  });

const foreignNetrc = fc
  .array(
    fc.oneof(
      fc.constant("# a comment"),
      fc.constant(""),
      fc
        .tuple(
          fc.constantFrom("a.example", "b.example", "tokens.example", "auth.docker.io", "docker.io"),
          fc.nat({ max: 9 }),
        )
        .map(([host, number]) => `machine ${host} login foreign-${number} password theirs-${number}`),
      fc.constant("  machine a.example login foreign-indented password theirs"),
      fc.constant("machine a.example\n  login foreign-block\n  password theirs"),
      fc.constant("default login foreign-default password theirs"),
      fc.constant("machine b.example login foreign-shell password $theirs"),
    ),
    { maxLength: 5 },
  )
  .chain((lines) => fc.constantFrom("", "\n").map((end) => lines.join("\n") + end));

const foreignRegistries = fc
  .record({
    hosts: fc.uniqueArray(
      fc.tuple(
        fc.constantFrom(...registries, "registry-1.docker.io", "else.example", "*", "https://a.example"),
        fc.oneof(
          foreignPair.map((pair) => `\n    auth:\n      auth: ${b64(pair)}`),
          fc
            .nat({ max: 9 })
            .map((n) => `\n    auth: # theirs\n      username: foreign-${n}\n      password: 12${n}`),
          fc.nat({ max: 9 }).map((n) => ` {auth: {username: foreign-${n}, password: "theirs"}, tls: {}}`),
          fc.constant("\n    tls:\n      insecure_skip_verify: true # foreign-1"),
          fc.constant(" # foreign-2"),
          fc.constant("\n    auth: {auth: nocolon}"),
        ),
      ),
      { maxLength: 4, selector: ([key]) => key },
    ),
    mirrors: fc.constantFrom(
      "",
      'mirrors:\n  docker.io:\n    endpoint: ["https://mirror.example"] # foreign-3\n',
      "mirrors: {}\n",
    ),
    configs: fc.constantFrom("configs:", "configs: # foreign-4"),
    head: fc.constantFrom("", "# foreign-5\n", "---\n"),
    end: fc.constantFrom("", "\n"),
    isLast: fc.boolean(),
  })
  .map(({ hosts, mirrors, configs, head, end, isLast }) => {
    const lines = hosts.map(([key, body]) => `  ${JSON.stringify(key)}:${body}`);
    const block = hosts.length === 0 ? "" : `${configs}\n${lines.join("\n")}\n`;
    return (head + (isLast ? mirrors + block : block + mirrors)).replace(/\n$/, end);
  });

const tomlTable = (host: string, table: string): string =>
  `[plugins."io.containerd.grpc.v1.cri".registry.configs.${JSON.stringify(host)}.${table}]`;

const foreignContainerd = fc
  .record({
    hosts: fc.uniqueArray(
      fc.tuple(
        fc.constantFrom(...registries, "registry-1.docker.io", "else.example", "*", "https://a.example"),
        fc.oneof(
          foreignPair.map((pair) => (host: string) => `${tomlTable(host, "auth")}\nauth = "${b64(pair)}"\n`),
          fc
            .nat({ max: 9 })
            .map(
              (n) => (host: string) =>
                `  ${tomlTable(host, "auth")} # theirs\n    username = "foreign-${n}"\n\n    password = '12${n}' # kept\n`,
            ),
          fc.constant(
            (host: string) => `${tomlTable(host, "tls")}\ninsecure_skip_verify = true # foreign-1\n`,
          ),
          fc.constant((host: string) => `${tomlTable(host, "auth")}\nauth = "nocolon"\n`),
          fc.constant((host: string) => `${tomlTable(host, "auth")}\nauth = 3\n`),
          fc.constant(
            (host: string) =>
              `${tomlTable(host, "x").replace(/\.x\]$/, "]")}\nauth = {username = "foreign-2", password = "p"}\n`,
          ),
        ),
      ),
      { maxLength: 4, selector: ([host]) => host },
    ),
    registry: fc.constantFrom(
      "",
      '[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d" # foreign-3\n',
      '[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]\nendpoint = ["https://mirror.example"]\n',
      '[plugins."io.containerd.grpc.v1.cri".registry.auths."https://a.example"]\nusername = "foreign-4"\npassword = "p"\n',
      '[plugins."io.containerd.grpc.v1.cri".registry]\nconfigs = {} # foreign-5\n',
    ),
    head: fc.constantFrom(
      "version = 2\n",
      '# foreign-6\nversion = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n',
    ),
    tail: fc.constantFrom(
      "",
      '[plugins."io.containerd.internal.v1.opt"]\n  path = "/opt" # foreign-7\n',
      "\n\n",
    ),
    isCrlf: fc.boolean(),
    end: fc.constantFrom("", "\n"),
  })
  .map(({ hosts, registry, head, tail, isCrlf, end }) => {
    // A closed table may not be opened again: such a file would be none.
    const own = registry.includes("configs = {}") ? [] : hosts.map(([host, render]) => render(host));
    const text = (head + registry + own.join("") + tail).replace(/\n$/, end);
    return isCrlf ? text.replaceAll("\n", "\r\n") : text;
  });

const foreignVars = fc
  .record({
    entries: fc.array(
      fc.tuple(
        fc.constantFrom(...registries, "https://index.docker.io/v1/", "else.example", "https://a.example"),
        fc.oneof(
          fc
            .nat({ max: 9 })
            .map(
              (n) => (key: string) =>
                `- registry: ${key}\n  username: foreign-${n} # kept\n  password: 'theirs-${n}'\n`,
            ),
          fc
            .nat({ max: 9 })
            .map(
              (n) => (key: string) =>
                `# foreign-1\n- {registry: "${key}", username: foreign-${n}, password: "12"} # theirs\n`,
            ),
          fc.constant(
            (key: string) =>
              `-\n  email: foreign-2\n  registry: ${key}\n  username: '{{ their_user }}'\n  password: |\n    theirs\n\n`,
          ),
          fc.constant((key: string) => `- registry: ${key}\n  password: 12\n  username: foreign-3\n`),
        ),
      ),
      { maxLength: 4 },
    ),
    indent: fc.constantFrom("", "  "),
    head: fc.constantFrom("", "---\n", "# foreign-4\n---\nother: {a: [1]} # foreign-5\n"),
    tail: fc.constantFrom("", "docker_login_state: present # foreign-6\n", "# foreign-7\n"),
    header: fc.constantFrom("docker_login_registries:", "docker_login_registries: # foreign-8"),
    isCrlf: fc.boolean(),
    end: fc.constantFrom("", "\n"),
  })
  .map(({ entries, indent, head, tail, header, isCrlf, end }) => {
    const own = entries.map(([key, render]) => render(key).replace(/^(?=.)/gm, indent)).join("");
    const list = own === "" ? header.replace(":", ": []") : header;
    const text = `${head}${list}\n${own}${tail}`.replace(/\n$/, end);
    return isCrlf ? text.replaceAll("\n", "\r\n") : text;
  });

function foreignFor(consumer: Consumer): fc.Arbitrary<string | undefined> {
  if (consumer.name === "enroot") return fc.option(foreignNetrc, { nil: undefined });
  if (consumer.name === "kubernetes" || consumer.name === "runai") {
    const namespace = consumer.name === "runai" ? "\n  namespace: runai" : "";
    return fc.option(
      foreignJson.map(
        (json) =>
          `# theirs\nkind: Secret\napiVersion: v1\ntype: kubernetes.io/dockerconfigjson\nmetadata:\n  labels: {app.kubernetes.io/managed-by: wharfinger}\n  name: regcred${namespace}\ndata:\n  .dockerconfigjson: ${b64(json)} # kept\n`,
      ),
      { nil: undefined },
    );
  }
  if (consumer.name === "k3s" || consumer.name === "rke2")
    return fc.option(foreignRegistries, { nil: undefined });
  if (consumer.name === "ansible") return fc.option(foreignVars, { nil: undefined });
  if (consumer.name === "containerd") return fc.option(foreignContainerd, { nil: undefined });
  return fc.option(foreignJson, { nil: undefined });
}

interface Delivered {
  readonly document: FileDocument | undefined;
  readonly merged: Merged | undefined;
  readonly content: Uint8Array | undefined;
  readonly warnings: readonly Warning[];
  readonly refused: ReadonlySet<string>;
}

function deliver(
  consumer: Consumer,
  logins: readonly ConsumerLogin[],
  foreign: string | undefined,
  target: Target,
): Delivered {
  const compiled = consumer.compile(logins, target);
  const document = compiled.documents.find((candidate) => candidate.entries.length > 0);
  const before = foreign === undefined ? undefined : Buffer.from(foreign);
  const merged = document === undefined ? undefined : consumer.merge(before, document, new Set());
  const refusals = [...compiled.refusals, ...(merged?.refusals ?? [])];
  return {
    document,
    merged,
    content: merged === undefined ? before : merged.content,
    warnings: [...compiled.warnings, ...(merged?.warnings ?? [])],
    refused: new Set(refusals.map((refusal) => refusal.login)),
  };
}

function split(image: string): { registry: string; repository: string } {
  const slash = image.indexOf("/");
  return { registry: image.slice(0, slash), repository: image.slice(slash + 1) };
}

/** The login whose image this is: the longest path that covers it. */
function ownerOf(logins: readonly ConsumerLogin[], image: string): ConsumerLogin | undefined {
  const { registry, repository } = split(image);
  return logins
    .filter((login) => login.registry === registry && isCovered(login, repository))
    .sort((a, b) => (b.path?.length ?? -1) - (a.path?.length ?? -1))[0];
}

const expectedSecret = (login: ConsumerLogin): string => login.secret.reveal();

describe.each(consumerCases)("consumer %s", (_name, consumer, target) => {
  test("is found by its name, and says what it is and how it is proved", () => {
    expect(findConsumer(consumer.name)).toBe(consumer);
    expect(consumer.summary.length).toBeGreaterThan(10);
    expect(consumer.abilities.proof.length).toBeGreaterThan(10);
  });

  test(
    "the law: each login for every image it covers, all else listed as wider",
    () => {
      fc.assert(
        fc.property(loginList, foreignFor(consumer), (logins, foreign) => {
          const { document, content, warnings, refused } = deliver(consumer, logins, foreign, target);
          const delivered = logins.filter((login) => !refused.has(login.name));
          // Only what makes a whole file unsure needs no name.
          const about = (login: ConsumerLogin, kinds: readonly Warning["kind"][]): boolean =>
            warnings.some(
              ({ kind, login: named }) =>
                kinds.includes(kind) && (named === login.name || (kind === "danger" && named === undefined)),
            );
          const files = new Map<string, Uint8Array>();
          if (document !== undefined && content !== undefined) files.set(document.path, content);
          // What tells the program of the file: CRI-O's drop-in, the kubelet's list of plugins.
          for (const other of consumer.compile(logins, target).documents)
            if (other.path !== document?.path)
              files.set(other.path, consumer.merge(undefined, other, new Set()).content ?? Buffer.of());
          for (const image of images) {
            const answer = consumer.match(files, image, target);
            const owner = ownerOf(delivered, image);
            const user =
              answer.kind === "login"
                ? delivered.find(
                    (login) =>
                      login.username === answer.match.username &&
                      expectedSecret(login) === answer.match.secret.reveal(),
                  )
                : undefined;
            const context = JSON.stringify({
              image,
              owner: owner?.name,
              user: user?.name,
              answer,
              warnings,
              file: content && Buffer.from(content).toString(),
            });
            if (owner === undefined) {
              // Not ours: never with ours, unless it was said.
              if (user !== undefined && !about(user, ["wider"]))
                throw new Error(`not listed as wider: ${context}`);
            } else if (user !== owner) {
              // A key with a slash behind it cannot name the repository of exactly that name, and says so.
              const isExact =
                ["kubernetes", "kubelet", "runai"].includes(consumer.name) &&
                split(image).repository === owner.path;
              if (user !== undefined && !isExact)
                throw new Error(`another login of ours is used: ${context}`);
              if (!about(owner, isExact ? ["format", "danger", "shadowed"] : ["shadowed", "danger"]))
                throw new Error(`not used, and not said: ${context}`);
            }
          }
        }),
        parameters,
      );
    },
    TIMEOUT_MS,
  );

  test(
    "a second merge gives the same bytes, and taking ours out gives theirs back",
    () => {
      fc.assert(
        fc.property(loginList, foreignFor(consumer), (logins, foreign) => {
          const { document, merged } = deliver(consumer, logins, foreign, target);
          if (document === undefined || merged?.content === undefined) return;
          const owned = new Set(merged.changes.map((change) => change.key));
          const again = consumer.merge(merged.content, document, owned);
          expect(again.content).toBe(merged.content);
          expect(again.changes.every((change) => change.action === "keep")).toBe(true);
          const { entries: _, ...rest } = document;
          const gone = consumer.merge(merged.content, { ...rest, entries: [] }, owned);
          expect(gone.changes.every((change) => change.action === "remove")).toBe(true);
          for (const login of logins) {
            const secret = login.secret.reveal();
            const left = gone.content === undefined ? "" : Buffer.from(gone.content).toString();
            if (left.includes(secret) && !(foreign ?? "").includes(secret))
              throw new Error(`left behind: ${left}`);
          }
          const isUntouched = merged.changes.every((change) => change.action === "add");
          if (isUntouched && foreign !== undefined && /foreign-\d/.test(decoded(foreign)))
            expect(gone.content === undefined ? undefined : Buffer.from(gone.content).toString()).toBe(
              foreign,
            );
        }),
        parameters,
      );
    },
    TIMEOUT_MS,
  );

  test(
    "no secret, plain or encoded, in changes, warnings or refusals",
    () => {
      fc.assert(
        fc.property(loginList, foreignFor(consumer), (logins, foreign) => {
          const compiled = consumer.compile(logins, target);
          const { merged, warnings } = deliver(consumer, logins, foreign, target);
          const seen = JSON.stringify([compiled, merged?.changes, merged?.refusals, warnings]);
          for (const login of logins) {
            const secret = login.secret.reveal();
            if (seen.includes(secret) || seen.includes(b64(`${login.username}:${secret}`)))
              throw new Error(seen);
          }
        }),
        { ...parameters, numRuns: 100 },
      );
    },
    TIMEOUT_MS,
  );

  test(
    "bytes that are no file of its kind are refused as FILE_INVALID or merged, never anything else",
    () => {
      const [login] = [
        { name: "l", registry: "a.example", path: undefined, username: "u", secret: new Secret("canary1") },
      ];
      if (login === undefined) return;
      const document = consumer.compile([login], target).documents[0];
      if (document === undefined) throw new Error("no document");
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ maxLength: 200 }).map((text) => new TextEncoder().encode(text)),
        fc.json().map((text) => new TextEncoder().encode(text)),
        fc.tuple(foreignFor(consumer), fc.nat()).map(([text, at]) => {
          const whole = Buffer.from(text ?? "x");
          return new Uint8Array(whole.subarray(0, at % (whole.length + 1)));
        }),
      );
      fc.assert(
        fc.property(bytes, (current) => {
          try {
            const merged = consumer.merge(current, document, new Set());
            const answer = consumer.match(
              new Map([[document.path, merged.content ?? new Uint8Array()]]),
              "a.example/x",
              target,
            );
            expect(["login", "broken", "helper", "anonymous"]).toContain(answer.kind);
          } catch (error) {
            if (!isAppError(error, "FILE_INVALID")) throw error;
            expect(error.message).toContain(document.path);
          }
          consumer.match(new Map([[document.path, current]]), "a.example/x", target);
        }),
        parameters,
      );
    },
    TIMEOUT_MS,
  );
});

function decoded(foreign: string): string {
  return (
    foreign +
    foreign
      .replace(/[A-Za-z0-9+/]{16,}={0,2}/g, (text) => Buffer.from(text, "base64").toString())
      .replace(/[A-Za-z0-9+/]{16,}={0,2}/g, (text) => Buffer.from(text, "base64").toString())
  );
}
