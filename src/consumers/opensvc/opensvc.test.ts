import { expect, test } from "bun:test";
import { Secret } from "#core";
import type { Compiled, ConsumerLogin, FileDocument, Merged, Target } from "../contract.ts";
import { opensvc } from "./index.ts";

const target: Target = { home: "/home/u", user: "u", uid: 1000, env: { DOCKER_CONFIG: "/elsewhere" } };
const object = { scope: "namespace", namespace: "myns", name: "creds", version: 2 };

function login(name: string, registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return { name, registry, path: undefined, username: name, secret: new Secret(`${name}-word`), ...extra };
}

const with_ = (options: Readonly<Record<string, unknown>>): Target => ({ ...target, options });
const compile = (options: Readonly<Record<string, unknown>>): Compiled =>
  opensvc.compile([login("hub", "docker.io")], with_(options));
const paths = (options: Readonly<Record<string, unknown>>): readonly string[] =>
  compile(options).documents.map(({ path }) => path);
const textOf = (merged: Merged): string => Buffer.from(merged.content ?? "").toString();

function serviceOf(services: readonly string[]): FileDocument {
  const found = compile({ ...object, services }).documents.at(-1);
  if (found === undefined) throw new Error("no document");
  return found;
}

// Reference: consumers, 9.
test("node: root's own file, whoever delivers and whatever their environment says", () => {
  for (const version of [2, 3]) {
    expect(paths({ scope: "node", version })).toEqual(["/root/.docker/config.json"]);
    expect(paths({ scope: "node", version, program: "podman" })).toEqual([
      "/root/.config/containers/auth.json",
    ]);
  }
});

test("node, 2: a registered node's own docker login is warned of; 3 has none", () => {
  const shadowed = (version: number): number =>
    compile({ scope: "node", version }).warnings.filter(({ kind }) => kind === "shadowed").length;
  expect([shadowed(2), shadowed(3)]).toEqual([1, 0]);
});

test("namespace: the sec object's key in the words of its generation, with Hub's key that docker and podman both read", () => {
  expect(paths(object)).toEqual(["/opensvc/v2/docker/myns/sec/creds/config.json"]);
  expect(paths({ ...object, version: "3.0.1" })).toEqual(["/opensvc/v3/docker/myns/sec/creds/config.json"]);
  expect(compile(object).documents[0]?.entries.map(({ key }) => key)).toEqual([
    "https://index.docker.io/v1/",
  ]);
  expect(
    opensvc.compile([login("hub", "docker.io")], { ...with_(object), version: "3.1.0" }).documents[0]?.path,
  ).toBe("/opensvc/v2/docker/myns/sec/creds/config.json");
});

test("the generation is what om says where the delivery does not", () => {
  const { version: _, ...options } = object;
  const { documents } = opensvc.compile([login("hub", "docker.io")], { ...with_(options), version: "3.0.4" });
  expect(documents.map(({ path }) => path)).toEqual(["/opensvc/v3/docker/myns/sec/creds/config.json"]);
  expect(compile(options).refusals[0]?.hint).toContain("version: 2");
});

test("services: registry_creds in DEFAULT, or in one container's section; the root namespace has no folder", () => {
  expect(
    compile({ ...object, services: ["web", "api/container#1", "api/container#2"] }).documents.map(
      ({ path, body }) => [path, body],
    ),
  ).toEqual([
    ["/opensvc/v2/docker/myns/sec/creds/config.json", undefined],
    ["/etc/opensvc/namespaces/myns/svc/web.conf", "[DEFAULT]\nregistry_creds = creds\n"],
    [
      "/etc/opensvc/namespaces/myns/svc/api.conf",
      "[container#1]\nregistry_creds = creds\n[container#2]\nregistry_creds = creds\n",
    ],
  ]);
  expect(paths({ ...object, namespace: "root", services: ["web"] }).at(-1)).toBe("/etc/opensvc/web.conf");
});

test("3: registry_creds is declared and dead, so services are refused, and what works is named", () => {
  const { documents, refusals } = compile({ ...object, version: 3, services: ["web"] });
  expect(documents).toEqual([]);
  expect(refusals[0]?.reason).toContain("none of its code reads it");
  expect(refusals[0]?.hint).toContain("scope: node");
  expect(compile({ ...object, version: 3 }).warnings.map(({ kind }) => kind)).toEqual(["danger"]);
});

test("3: a pull reads root's own file, and not the sec object", () => {
  const files = new Map([
    ["/opensvc/v3/docker/myns/sec/creds/config.json", Buffer.from('{"auths":{"r.example":{"auth":"YTpi"}}}')],
    ["/root/.docker/config.json", Buffer.from('{"auths":{"r.example":{"auth":"cm9vdDpi"}}}')],
  ]);
  const answer = opensvc.match(files, "r.example/x", with_({ ...object, version: 3 }));
  expect(answer.kind === "login" && answer.match.username).toBe("root");
});

test("a service keeps every byte but the keyword, and gets it back", () => {
  const before = "# web\n[DEFAULT]\nnodes = *\n\n[container#0]\ntype = docker ; theirs\n";
  const document = serviceOf(["web"]);
  const merged = opensvc.merge(Buffer.from(before), document, new Set());
  expect(textOf(merged)).toBe(before.replace("nodes = *\n", "nodes = *\nregistry_creds = creds\n"));
  const owned = new Set(merged.changes.map(({ key }) => key));
  expect(opensvc.merge(merged.content, document, owned).content).toBe(merged.content);
  const { body: _, ...rest } = document;
  expect(textOf(opensvc.merge(merged.content, rest, owned))).toBe(before);
});

test("what somebody else named is replaced with a warning, and stays when ours goes", () => {
  const before = "[DEFAULT]\nregistry_creds = theirs\nregistry_creds@n1 = other\n";
  const document = serviceOf(["web"]);
  const merged = opensvc.merge(Buffer.from(before), document, new Set());
  expect(merged.changes.map(({ action }) => action)).toEqual(["update"]);
  expect(merged.warnings.map(({ kind }) => kind)).toEqual(["format", "shadowed"]);
  const { body: _, ...rest } = document;
  const owned = new Set(merged.changes.map(({ key }) => key));
  expect(textOf(opensvc.merge(Buffer.from(before), rest, owned))).toBe(before);
});

test("a service that is not there is not made, and is said", () => {
  const merged = opensvc.merge(undefined, serviceOf(["web"]), new Set());
  expect([merged.content, merged.changes.length, merged.warnings[0]?.kind]).toEqual([undefined, 0, "danger"]);
});

test.each([
  ["no scope", { version: 2 }],
  ["another scope", { scope: "cluster", version: 2 }],
  ["no namespace", { scope: "namespace", version: 2, name: "creds" }],
  ["no name", { scope: "namespace", version: 2, namespace: "myns" }],
  ["a name with a slash", { ...object, name: "a/b" }],
  ["a namespace that climbs", { ...object, namespace: ".." }],
  ["a service that climbs", { ...object, services: ["../x"] }],
  ["a section that ends itself", { ...object, services: ["web/a]b"] }],
  ["version 1", { ...object, version: 1 }],
  ["another program", { ...object, program: "crio" }],
  ["services of a node", { scope: "node", version: 2, services: ["web"] }],
])("refused, with what to write instead: %s", (_name, options) => {
  const { documents, refusals } = compile(options);
  expect(documents).toEqual([]);
  expect(refusals).toHaveLength(1);
  expect(refusals[0]?.hint).toBeString();
  expect(opensvc.files(with_(options))).toEqual([]);
});
