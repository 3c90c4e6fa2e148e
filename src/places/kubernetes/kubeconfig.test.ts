import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type AppError, isAppError } from "#core";
import { connectionOf } from "./connection.ts";
import { type Kubeconfig, parseKubeconfig, readKubeconfig } from "./kubeconfig.ts";

const folder = mkdtempSync(join(tmpdir(), "wharf-kubeconfig-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const config = (more: {
  readonly cluster?: string;
  readonly user?: string;
  readonly context?: string;
}): string => `current-context: here
contexts:
- { name: here, context: { cluster: c, user: u${more.context ?? ""} } }
clusters:
- name: c
  cluster: { server: "https://127.0.0.1:6443/prefix/"${more.cluster ?? ""} }
users:
- name: u
  user: { ${more.user ?? ""} }
`;

async function connect(text: string, context?: string): ReturnType<typeof connectionOf> {
  return connectionOf(parseKubeconfig(join(folder, "config"), text), context);
}

async function faultOf(work: () => Promise<unknown>): Promise<AppError> {
  try {
    await work();
  } catch (cause) {
    if (isAppError(cause)) return cause;
    throw cause;
  }
  throw new Error("it was taken");
}

test("files of KUBECONFIG are merged as kubectl does: the first that names something counts, missing ones are passed over", async () => {
  const one = write(
    "one/config",
    'contexts:\n- { name: a, context: { cluster: first, user: u } }\nclusters:\n- { name: c, cluster: { server: "https://one" } }\n',
  );
  const two = write(
    "two/config",
    'current-context: b\ncontexts:\n- { name: a, context: { cluster: second } }\n- { name: b, context: { cluster: c, user: u, namespace: ml } }\nclusters:\n- { name: c, cluster: { server: "https://two" } }\nusers:\n- { name: u, user: { tokenFile: token } }\n',
  );
  const merged = await readKubeconfig({ KUBECONFIG: `${one}:${folder}/none::${two}` }, "/nowhere");
  expect(merged?.files).toEqual([one, two]);
  expect(merged?.currentContext).toBe("b");
  expect(merged?.contexts.get("a")?.value).toEqual({ cluster: "first", user: "u" });
  const connection = await connectionOf(merged as Kubeconfig, undefined);
  // Relative paths are those of the file that they stand in.
  expect(connection).toMatchObject({
    server: "https://one",
    namespace: "ml",
    user: { token: { kind: "file", path: join(folder, "two", "token") } },
  });
});

test("without KUBECONFIG it is ~/.kube/config, and nothing where that is not there", async () => {
  expect(await readKubeconfig({}, join(folder, "empty"))).toBeUndefined();
  write("home/.kube/config", config({}));
  expect((await readKubeconfig({ KUBECONFIG: "" }, join(folder, "home")))?.currentContext).toBe("here");
});

test("server, CA, name, proxy, client certificate and token come as they are written", async () => {
  write("ca.pem", "the ca");
  const key = crypto.randomUUID();
  const token = crypto.randomUUID();
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const found = await connect(
    config({
      cluster: `, certificate-authority: ca.pem, tls-server-name: kubernetes.example, proxy-url: "http://proxy.example:3128", insecure-skip-tls-verify: true`,
      user: `client-certificate-data: ${base64("cert")}, client-key-data: ${base64(key)}, token: "${token}", as: ann, as-groups: [ops]`,
    }),
  );
  expect(found).toMatchObject({
    server: "https://127.0.0.1:6443/prefix",
    namespace: "default",
    tls: { onlyCa: "the ca", serverName: "kubernetes.example", isUnverified: true },
    proxy: "http://proxy.example:3128/",
    user: { headers: { "impersonate-user": "ann", "impersonate-group": "ops" } },
  });
  expect(found.user.identity?.key.reveal()).toBe(key);
  expect(found.user.token.kind === "fixed" && found.user.token.header.reveal()).toBe(`Bearer ${token}`);
  expect(JSON.stringify(found)).not.toContain(token);
  expect(JSON.stringify(found)).not.toContain(key);
});

test("mistakes are told with file and line, and without what stands there", async () => {
  const secret = crypto.randomUUID();
  const cases: readonly (readonly [string, RegExp])[] = [
    [`users: [ { name: u, user: { token: "${secret}`, /config:\d+:\d+: this is not YAML/],
    [`- ${secret}\n`, /config:1:1: a kubeconfig is a mapping/],
    [`current-context: here\ncontexts: ${secret}\n`, /config:2:11: contexts is not a list/],
    [`users:\n- { user: { token: "${secret}" } }\n`, /config:2:3: this entry of users has no name/],
    [`users:\n- { name: u }\n- { name: u }\n`, /config:3:3: users names "u" twice/],
    [`users:\n- { name: u, user: "${secret}" }\n`, /config:2:20: user of "u" is not a mapping/],
    [config({ user: `token: 5` }), /config:9:9: user "u": token is not a text/],
    [
      config({ user: `client-key-data: "${secret}"` }),
      /config:9:9: user "u": a client-certificate needs its client-key/,
    ],
    [config({ user: "tokenFile: [a]" }), /config:9:9: user "u": tokenFile is not a text/],
    [config({ user: "auth-provider: { name: gcp }" }), /auth-provider is gone from Kubernetes/],
    [
      config({ user: "exec: { command: x, apiVersion: client.authentication.k8s.io/v1alpha1 }" }),
      /exec of user "u": apiVersion is not one of/,
    ],
    [
      config({
        user: "exec: { command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always }",
      }),
      /wants a terminal/,
    ],
    [config({ user: "as-groups: [a, b], as: x" }), /several groups/],
    [config({ cluster: ', proxy-url: "socks5://x:1"' }), /config:6:12: cluster "c": proxy-url is socks5/],
    [
      config({ cluster: ", certificate-authority: not-there.pem" }),
      /names the file .*not-there\.pem, which is not there/,
    ],
    [config({}).replace("https://127.0.0.1:6443/prefix/", "ftp://x"), /its server is not an address/],
    [config({}).replace("cluster: c,", "cluster: d,"), /there is no cluster "d"/],
    ["contexts: []\n", /there is no current-context/],
  ];
  for (const [text, words] of cases) {
    const fault = await faultOf(() => connect(text));
    expect([fault.code, words.test(fault.message), fault.message]).toEqual([
      "CONFIG_INVALID",
      true,
      fault.message,
    ]);
    expect(`${fault.message}${fault.hint}`).not.toContain(secret);
  }
  const named = await faultOf(() => connect(config({}), "hree"));
  expect([named.message, named.hint]).toEqual([
    `${join(folder, "config")}: there is no context "hree"`,
    "did you mean here? there are here",
  ]);
});

test("whatever a kubeconfig holds, it is read or refused as CONFIG_INVALID", async () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.constantFrom("here", "c", "u", "https://x", "exec", "token", null, true, 7),
      fc.array(tie("any"), { maxLength: 4 }),
      fc.dictionary(
        fc.constantFrom("name", "context", "cluster", "user", "server", "token", "exec", "command", "env"),
        tie("any"),
        { maxKeys: 4 },
      ),
    ),
  })).any;
  const file = fc.record(
    { "current-context": value, contexts: value, clusters: value, users: value },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        file.map((object) => JSON.stringify(object)),
        fc.string(),
      ),
      async (text) => {
        try {
          const connection = await connect(text);
          expect(connection.server).toMatch(/^https?:\/\//);
        } catch (cause) {
          if (!isAppError(cause, "CONFIG_INVALID")) throw cause;
        }
      },
    ),
    { seed: 20261122, numRuns: 400 },
  );
});
