/** Random logins, and random files of other people, for the properties that every consumer is held to. */
import fc from "fast-check";
import type { Consumer, ConsumerLogin } from "#consumers";
import { Secret } from "#core";

export const registries = ["a.example", "a.example:5000", "b.example", "docker.io"] as const;
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
export const images = [
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

export const loginList = fc
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
export const b64 = (text: string): string => Buffer.from(text).toString("base64");

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

/** What may stand in a consumer's file before us: other people's entries, in the forms that they write; undefined: no file. */
export function foreignFor(consumer: Consumer): fc.Arbitrary<string | undefined> {
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
