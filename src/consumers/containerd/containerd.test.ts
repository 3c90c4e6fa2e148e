import { expect, test } from "bun:test";
import { isAppError, Secret } from "#core";
import type { ConsumerLogin, FileDocument, MatchAnswer, Merged, Target } from "../contract.ts";
import { containerd } from "./index.ts";

const target: Target = { home: "/root", user: "root", uid: 0, env: {} };
const MAIN = "/etc/containerd/config.toml";
const DROP_IN = "/etc/containerd/conf.d/wharf.toml";
const CRI = 'plugins."io.containerd.grpc.v1.cri".registry';
const IMAGES = 'plugins."io.containerd.cri.v1.images".registry';
const b64 = (text: string): string => Buffer.from(text).toString("base64");
const pair = (table: string, host: string, user = "u"): string =>
  `[${table}.configs."${host}".auth]\nusername = "${user}"\npassword = "p"\n`;

function login(name: string, registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return { name, registry, path: undefined, username: name, secret: new Secret(`${name}-word`), ...extra };
}

function at(version: string | undefined, options?: Readonly<Record<string, unknown>>): Target {
  return {
    ...target,
    ...(version === undefined ? {} : { version }),
    ...(options === undefined ? {} : { options }),
  };
}

function answer(
  files: Readonly<Record<string, string>> | string,
  image = "r.example/x",
  where = target,
): MatchAnswer {
  const all = typeof files === "string" ? { [MAIN]: files } : files;
  const bytes = new Map(Object.entries(all).map(([path, text]) => [path, Buffer.from(text)]));
  return containerd.match(bytes, image, where);
}

const said = (found: MatchAnswer): string =>
  found.kind === "login" ? `${found.match.username}:${found.match.secret.reveal()}` : found.kind;

function delivered(logins: readonly ConsumerLogin[], current: string | undefined, where = target): Merged {
  const [document] = containerd.compile(logins, where).documents;
  if (document === undefined) throw new Error("no document");
  return containerd.merge(current === undefined ? undefined : Buffer.from(current), document, new Set());
}

const textOf = (merged: Merged): string => Buffer.from(merged.content ?? "").toString();

// ParseAuth of containerd 1.6.20 and 2.4.2.
test.each([
  ["a pair", 'username = "u"\npassword = "p"', "u:p"],
  ["the pair before the identity token", 'username = "u"\npassword = "p"\nidentitytoken = "t"', "u:p"],
  ["the identity token before auth", `auth = "${b64("u:")}"\nidentitytoken = "t"`, "u:t"],
  ["auth", `auth = "${b64("u:p:q")}"`, "u:p:q"],
  ["auth that is no pair", 'auth = "nocolon"', "broken"],
  ["an empty table", "", "anonymous"],
  ["a number: the plugin does not start", "password = 3", "broken"],
  ["a name in other letters", `Auth = "${b64("u:p")}"`, "u:p"],
])("an entry: %s", (_name, fields, expected) => {
  expect(said(answer(`version = 2\n[${CRI}.configs."r.example".auth]\n${fields}\n`))).toBe(expected);
});

test.each([
  ["the host exactly", "r.example", "r.example/x", "u:p"],
  ["with its port", "r.example:5000", "r.example:5000/x", "u:p"],
  ["a key without the port is another", "r.example", "r.example:5000/x", "anonymous"],
  ["a URL is never looked for", "https://r.example", "r.example/x", "anonymous"],
  ["nor a star", "*", "r.example/x", "anonymous"],
  ["Hub by the host that it is served from", "registry-1.docker.io", "nginx", "u:p"],
  ["not by its name", "docker.io", "nginx", "anonymous"],
])("a key: %s", (_name, key, image, expected) => {
  for (const version of ["1.6.20", "2.4.2"])
    expect(said(answer(`version = 2\n${pair(CRI, key)}`, image, at(version)))).toBe(expected);
});

test.each([
  ["no version is version 1, with short names", `${pair("plugins.cri.registry", "r.example")}`, "u:p", "u:p"],
  ["version 1 does not know long names; containerd 2 takes both", pair(CRI, "r.example"), "anonymous", "u:p"],
  ["version 2", `version = 2\n${pair(CRI, "r.example")}`, "u:p", "u:p"],
  ["version 3", `version = 3\n${pair(IMAGES, "r.example")}`, "anonymous", "u:p"],
  ["version 4", `version = 4\n${pair(IMAGES, "r.example")}`, "anonymous", "u:p"],
  ["version 5 is too new", `version = 5\n${pair(IMAGES, "r.example")}`, "anonymous", "broken"],
  ["a short name in version 2", `version = 2\n${pair(CRI, "r.example")}[plugins.cri]\n`, "broken", "u:p"],
  [
    "in version 2 the old table takes the new one's place",
    `version = 2\n${pair(IMAGES, "r.example", "new")}${pair(CRI, "r.example", "old")}`,
    "old:p",
    "old:p",
  ],
  [
    "the old auths take the place of configs",
    `version = 2\n${pair(CRI, "r.example")}[${CRI}.auths."https://r.example/v1/"]\nusername = "a"\npassword = "p"\n`,
    "a:p",
    "a:p",
  ],
  [
    "Docker's packages bring a file that disables it",
    `disabled_plugins = ["cri"]\n${pair("plugins.cri.registry", "r.example")}`,
    "anonymous",
    "anonymous",
  ],
  [
    "mirrors and config_path: the plugin does not start",
    `version = 2\n[${CRI}]\nconfig_path = "/x"\n[${CRI}.mirrors."r.example"]\nendpoint = ["https://m"]\n${pair(CRI, "r.example")}`,
    "broken",
    "broken",
  ],
  [
    "tls and config_path: containerd 2 knows no tls there",
    `version = 2\n[${CRI}]\nconfig_path = "/x"\n[${CRI}.configs."r.example".tls]\nca_file = "/c"\n${pair(CRI, "r.example")}`,
    "broken",
    "u:p",
  ],
])("containerd 1.6 and 2.4: %s", (_name, text, one, two) => {
  expect([
    said(answer(text, "r.example/x", at("1.6.20"))),
    said(answer(text, "r.example/x", at("2.4.2"))),
  ]).toEqual([one, two]);
});

test("in version 3 the old plugin's registry counts from 2.3 on, and is said", () => {
  const text = `version = 3\n${pair(IMAGES, "r.example", "new")}${pair(CRI, "r.example", "old")}`;
  expect(["2.2.1", "2.3.0"].map((version) => said(answer(text, "r.example/x", at(version))))).toEqual([
    "new:p",
    "old:p",
  ]);
  expect(
    delivered([login("a", "else.example")], text)
      .warnings.map(({ message }) => message)
      .join(),
  ).toContain("has a registry table too");
});

test("a drop-in: only where the main file imports it; containerd 1 takes its table whole, containerd 2 name by name", () => {
  const dropIn = `version = 2\n${pair(CRI, "r.example", "drop")}`;
  const where = (version: string): Target => at(version, { file: DROP_IN });
  const read = (main: string, image: string, version: string): string =>
    said(answer({ [MAIN]: main, [DROP_IN]: dropIn }, image, where(version)));
  const imports = `version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n${pair(CRI, "m.example", "main")}`;
  expect(read("version = 2\n", "r.example/x", "2.4.2")).toBe("anonymous");
  expect(read(imports, "r.example/x", "1.6.20")).toBe("drop:p");
  expect(read(imports, "m.example/x", "1.6.20")).toBe("anonymous");
  expect(read(imports, "r.example/x", "2.4.2")).toBe("drop:p");
  expect(read(imports, "m.example/x", "2.4.2")).toBe("main:p");
  // Before 1.7 it is looked for from the folder that containerd was started in.
  const relative = imports.replace("/etc/containerd/", "");
  expect(["1.6.20", "1.7.27", "2.4.2"].map((version) => read(relative, "r.example/x", version))).toEqual([
    "anonymous",
    "drop:p",
    "drop:p",
  ]);
  const higher = { [MAIN]: imports, [DROP_IN]: `version = 3\n${pair(IMAGES, "r.example", "drop")}` };
  expect(["2.3.0", "2.4.2"].map((version) => said(answer(higher, "r.example/x", where(version))))).toEqual([
    "broken",
    "drop:p",
  ]);
});

test("what is delivered into an empty place is read by its containerd, and goes without a trace", () => {
  for (const version of ["1.6.20", "1.7.27", "2.0.0", "2.4.2", undefined]) {
    const merged = delivered([login("a", "r.example"), login("hub", "docker.io")], undefined, at(version));
    const text = textOf(merged);
    expect(said(answer(text, "r.example/x", at(version)))).toBe("a:a-word");
    expect(said(answer(text, "nginx", at(version)))).toBe("hub:hub-word");
    const owned = new Set(merged.changes.map(({ key }) => key));
    const empty: FileDocument = { kind: "file", path: MAIN, mode: 0o600, folderMode: 0o755, entries: [] };
    expect(containerd.merge(merged.content, empty, owned).content).toBeUndefined();
  }
});

test("a file that was migrated since is cleaned too", () => {
  const migrated = `version = 3\n${pair(IMAGES, "r.example")}${pair(CRI, "r.example")}`;
  const empty: FileDocument = { kind: "file", path: MAIN, mode: 0o600, folderMode: 0o755, entries: [] };
  const merged = containerd.merge(Buffer.from(migrated), empty, new Set(["r.example"]));
  expect(textOf(merged)).toBe("version = 3\n");
  expect(merged.changes).toEqual([{ key: "r.example", login: undefined, action: "remove" }]);
});

test("a login in a form that is not edited is refused, and the file stays", () => {
  for (const text of [
    `version = 2\n[${CRI}.configs."r.example"]\nauth = {username = "u", password = "p"}\n`,
    `version = 2\n[${CRI}.configs."r.example"]\nauth.username = "u"\n`,
    `version = 2\n[${CRI}]\nconfigs = {}\n`,
  ]) {
    const merged = delivered([login("a", "r.example")], text);
    expect(textOf(merged)).toBe(text);
    expect(merged.refusals.map(({ login: name }) => name)).toEqual(["a"]);
  }
});

test("a byte order mark is refused, not taken away", () => {
  const attempt = (): unknown => delivered([login("a", "r.example")], "\ufeffversion = 2\n");
  expect(attempt).toThrow();
  try {
    attempt();
  } catch (cause) {
    expect(isAppError(cause, "FILE_INVALID")).toBe(true);
  }
});

const ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const withCa = login("a", "r.example:5000", { ca });
const CERTS = "/etc/containerd/certs.d/r.example:5000";

test("the CA: a certificate, a hosts.toml that names it, and tls where containerd 1 looks into no folder", () => {
  expect(containerd.compile([withCa], target).documents.map(({ path, mode }) => [path, mode])).toEqual([
    [MAIN, 0o600],
    [`${CERTS}/ca.crt`, 0o644],
    [`${CERTS}/hosts.toml`, 0o644],
  ]);
  expect(textOf(delivered([withCa], "version = 2\n"))).toContain(`ca_file = "${CERTS}/ca.crt"`);
  const withPath = `version = 2\n[${CRI}]\nconfig_path = "/etc/containerd/certs.d"\n`;
  expect(textOf(delivered([withCa], withPath))).not.toContain("ca_file");
  expect(textOf(delivered([withCa], "version = 3\n"))).not.toContain("ca_file");
});

test.each([
  ["a config_path that leads elsewhere", `version = 3\n[${IMAGES}]\nconfig_path = "/etc/docker/certs.d"\n`],
  ["mirrors in containerd 2", `version = 3\n[${IMAGES}.mirrors."x"]\nendpoint = ["https://m"]\n`],
])("a CA that is not looked for is said: %s", (_name, text) => {
  const warnings = delivered([withCa], text).warnings.map(({ message }) => message);
  expect(warnings.join()).toContain("does not trust the CA of r.example:5000");
});

test("somebody's hosts.toml stays, and is told which line it lacks", () => {
  const document = containerd.compile([withCa], target).documents[2];
  if (document === undefined) throw new Error("no hosts.toml");
  const theirs = '[host."https://mirror.example"]\n  capabilities = ["pull"]\n';
  const kept = containerd.merge(Buffer.from(theirs), document, new Set());
  expect([textOf(kept), kept.changes.length, kept.warnings[0]?.hint]).toEqual([
    theirs,
    0,
    `put ca = "ca.crt" into it, above its first [host] table`,
  ]);
  const named = containerd.merge(Buffer.from(`ca = ["${CERTS}/ca.crt"]\n${theirs}`), document, new Set());
  expect(named.warnings).toEqual([]);
});

test("the release that may read no logins any more is warned of", () => {
  const dangers = (version: string): number =>
    containerd.compile([login("a", "r.example")], at(version)).warnings.length;
  expect([dangers("2.6.1"), dangers("2.7.0"), dangers("3.0.0")]).toEqual([0, 1, 1]);
});
