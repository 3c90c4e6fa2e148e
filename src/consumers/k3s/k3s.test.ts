import { expect, test } from "bun:test";
import { Secret } from "#core";
import type { ConsumerLogin, FileDocument, MatchAnswer, Target } from "../contract.ts";
import { rke2 } from "../rke2/index.ts";
import { k3s } from "./index.ts";

const target: Target = { home: "/root", user: "root", uid: 0, env: {} };
const FILE = "/etc/rancher/k3s/registries.yaml";
const TEMPLATES = "/var/lib/rancher/k3s/agent/etc/containerd";
const b64 = (text: string): string => Buffer.from(text).toString("base64");

function login(name: string, registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return { name, registry, path: undefined, username: name, secret: new Secret(`${name}-word`), ...extra };
}

function documentOf(logins: readonly ConsumerLogin[]): FileDocument {
  const [document] = k3s.compile(logins, target).documents;
  if (document === undefined) throw new Error("no document");
  return document;
}

function match(text: string, image: string, more: Readonly<Record<string, string>> = {}): MatchAnswer {
  return matchAt(undefined, text, image, more);
}

function matchAt(
  version: string | undefined,
  text: string,
  image: string,
  more: Readonly<Record<string, string>> = {},
): MatchAnswer {
  const files = new Map(
    Object.entries({ [FILE]: text, ...more }).map(([path, one]) => [path, Buffer.from(one)]),
  );
  return k3s.match(files, image, { ...target, ...(version === undefined ? {} : { version }) });
}

const said = (answer: MatchAnswer): string =>
  answer.kind === "login" ? `${answer.match.username}:${answer.match.secret.reveal()}` : answer.kind;

// Decoding as rancher/wharfie 0.7.1 does it (yaml.v2), and containerd's ParseAuth: pinned from a comparison over 8,878 files.
test.each([
  ["a pair", "auth: {username: u, password: p}", "u:p"],
  ["a number is the text that stands there", "auth: {username: u, password: 007}", "u:007"],
  ["a date too", "auth: {username: u, password: 2001-01-01}", "u:2001-01-01"],
  ["a tilde is nothing", "auth: {username: u, password: ~}", "u:"],
  ["the pair before the identity token", "auth: {username: u, password: p, identity_token: t}", "u:p"],
  ["the identity token before auth", `auth: {auth: ${b64("u:")}, identity_token: t}`, "u:t"],
  ["identitytoken is another name", `auth: {auth: ${b64("u:p")}, identitytoken: t}`, "u:p"],
  ["auth that is no base64 of a pair", "auth: {auth: nocolon}", "broken"],
  ["an empty auth", "auth: {}", "anonymous"],
  ["no auth", "tls: {}", "anonymous"],
  ["a list for a text: nothing is read", "auth: {username: [u]}", "broken"],
  ["a list for auth", "auth: [u]", "broken"],
])("an entry: %s", (_name, body, expected) => {
  expect(said(match(`configs:\n  r.example:\n    ${body}\n`, "r.example/x"))).toBe(expected);
});

test.each([
  ["the host exactly", "r.example", "r.example/x", "u:p"],
  ["with its port", '"r.example:5000"', "r.example:5000/x", "u:p"],
  ["a key without the port is another", "r.example", "r.example:5000/x", "anonymous"],
  ["a URL is never looked for (k3s-io/k3s#12438)", '"https://r.example"', "r.example/x", "anonymous"],
  ["nor a path", '"r.example/team"', "r.example/team/x", "anonymous"],
  ["nor a star", '"*"', "r.example/x", "anonymous"],
  ["Hub by the host that it is served from", "registry-1.docker.io", "nginx", "u:p"],
  ["Hub by its name", "docker.io", "nginx", "u:p"],
  ["index.docker.io is not asked", "index.docker.io", "nginx", "anonymous"],
])("a key: %s", (_name, key, image, expected) => {
  expect(said(match(`configs:\n  ${key}:\n    auth: {username: u, password: p}\n`, image))).toBe(expected);
});

test("docker.io as a key is not known to older versions; both are written", () => {
  const text = "configs: {docker.io: {auth: {username: u, password: p}}}";
  expect(
    ["v1.31.9+k3s1", "v1.32.6+k3s1", "1.33.2"].map((version) => said(matchAt(version, text, "nginx"))),
  ).toEqual(["anonymous", "anonymous", "anonymous"]);
  expect(
    ["v1.32.7+k3s1", "v1.33.3", "v1.34.0"].map((version) => said(matchAt(version, text, "nginx"))),
  ).toEqual(["u:p", "u:p", "u:p"]);
  expect(documentOf([login("hub", "docker.io")]).entries.map(({ key }) => key)).toEqual([
    "docker.io",
    "registry-1.docker.io",
  ]);
});

test("somebody's template without the part for registries drops every login in silence", () => {
  const text = "configs: {r.example: {auth: {username: u, password: p}}}";
  const bare = "[plugins.linux]\n";
  const based = '{{ template "base" . }}\n';
  const by = (more: Readonly<Record<string, string>>): string => said(match(text, "r.example/x", more));
  expect(by({ [`${TEMPLATES}/config.toml.tmpl`]: bare })).toBe("broken");
  expect(by({ [`${TEMPLATES}/config.toml.tmpl`]: based })).toBe("u:p");
  expect(by({ [`${TEMPLATES}/config.toml.tmpl`]: "{{ range .PrivateRegistryConfig.Configs }}" })).toBe("u:p");
  // The newer template is taken first.
  expect(by({ [`${TEMPLATES}/config.toml.tmpl`]: bare, [`${TEMPLATES}/config-v3.toml.tmpl`]: based })).toBe(
    "u:p",
  );
});

test("one login for a host, an identity token beside an auth that names the user", () => {
  const token = crypto.randomUUID();
  const azure = login("z", "z.azurecr.io", { identityToken: true, secret: new Secret(token) });
  const content = JSON.parse(documentOf([azure]).entries[0]?.content.reveal() ?? "") as unknown;
  expect(content).toEqual({ auth: { auth: b64("z:"), identity_token: token } });
  const { refusals } = k3s.compile(
    [login("a", "r.example"), login("b", "r.example", { path: "team" })],
    target,
  );
  expect(refusals.map((refusal) => refusal.login)).toEqual(["a", "b"]);
});

test("the CA goes with the login, beside what tls says already, and away with it", () => {
  const ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const own = "/etc/rancher/k3s/certs.d/r.example/ca.crt";
  const { documents } = k3s.compile([login("a", "r.example", { ca })], target);
  expect(documents.map(({ path, mode }) => [path, mode])).toEqual([
    [FILE, 0o600],
    [own, 0o644],
  ]);
  const document = documents[0];
  if (document === undefined) throw new Error("no document");
  const written = (before: string): string =>
    Buffer.from(k3s.merge(Buffer.from(before), document, new Set()).content ?? "").toString();
  expect(written("configs:\n  r.example:\n    tls:\n      cert_file: /c # theirs\n")).toContain(
    `      cert_file: /c # theirs\n      ca_file: "${own}"\n`,
  );
  const before = "configs:\n  r.example:\n    tls: {ca_file: /theirs}\n";
  const merged = k3s.merge(Buffer.from(before), document, new Set());
  expect(merged.warnings.map(({ kind }) => kind)).toEqual(["format"]);
  for (const start of [before, "# c\nmirrors: {}\n", "configs: {else: {tls: {}}}"]) {
    const there = k3s.merge(Buffer.from(start), document, new Set());
    const gone = k3s.merge(there.content, { ...document, entries: [] }, new Set(["r.example"]));
    expect(Buffer.from(gone.content ?? "").toString()).toBe(start);
  }
});

test("a form that text edits do not serve is refused, not guessed at", () => {
  const document = documentOf([login("a", "r.example")]);
  for (const text of [
    "configs:\n  r.example: &x\n    auth: &y {username: u}\n  b: {auth: *y}\n",
    "configs: [a]\n",
    "a: 1\n---\nb: 2\n",
    "configs: {}\n...\n",
    "? configs\n: {r.example}\n",
  ]) {
    let content: string | undefined;
    try {
      content = Buffer.from(k3s.merge(Buffer.from(text), document, new Set()).content ?? "").toString();
    } catch (fault) {
      expect(fault).toMatchObject({ code: "FILE_INVALID" });
      continue;
    }
    expect(said(match(content, "r.example/x"))).toBe("a:a-word");
  }
});

test("mirrors are asked first, with their own login, which is said", () => {
  const document = documentOf([login("a", "r.example")]);
  const before = "mirrors:\n  r.example:\n    endpoint: [https://m.example]\n";
  const merged = k3s.merge(Buffer.from(before), document, new Set());
  expect(merged.warnings).toMatchObject([{ kind: "shadowed", login: "a" }]);
  const answer = match(Buffer.from(merged.content ?? "").toString(), "r.example/x");
  expect(answer.kind === "login" && answer.match.shadows).toHaveLength(1);
});

test("RKE2 has folders of its own", () => {
  expect(rke2.compile([login("a", "r.example")], target).documents[0]?.path).toBe(
    "/etc/rancher/rke2/registries.yaml",
  );
  expect(rke2.files(target)).toContain("/var/lib/rancher/rke2/agent/etc/containerd/config.toml.tmpl");
  expect(rke2.abilities.takesEffect).toEqual({
    when: "on restart",
    of: "rke2",
    units: ["rke2-server.service", "rke2-agent.service"],
  });
});
