import { expect, test } from "bun:test";
import { Secret } from "#core";
import type { ConsumerLogin, MatchAnswer, Target } from "../contract.ts";
import { kubelet } from "./index.ts";

const target: Target = { home: "/root", user: "root", uid: 0, env: {} };
const FILE = "/var/lib/kubelet/config.json";
const b64 = (text: string): string => Buffer.from(text).toString("base64");
const auths = (user: string, key = "r.example"): string =>
  JSON.stringify({ auths: { [key]: { auth: b64(`${user}:p`) } } });

function login(name: string, registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return { name, registry, path: undefined, username: name, secret: new Secret(`${name}-word`), ...extra };
}

function match(files: Readonly<Record<string, string>>, over: Partial<Target> = {}): MatchAnswer {
  const bytes = new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));
  return kubelet.match(bytes, "r.example/team/x", { ...target, ...over });
}

const userOf = (answer: MatchAnswer): string =>
  answer.kind === "login" ? answer.match.username : answer.kind;

// pkg/credentialprovider config.go of the kubelet 1.36.3.
test.each([
  ["its own file first", { [FILE]: auths("own"), "/config.json": auths("cwd") }, "own"],
  ["then the folder that it runs in", { "/config.json": auths("cwd") }, "cwd"],
  ["then docker's, below the root", { "/.docker/config.json": auths("root") }, "root"],
  ["root's home is not looked into", { "/root/.docker/config.json": auths("home") }, "anonymous"],
  ["the first valid file is the only one", { [FILE]: "{}", "/config.json": auths("cwd") }, "anonymous"],
  ["no merging", { [FILE]: auths("own", "else.example"), "/config.json": auths("cwd") }, "anonymous"],
  ["a file that does not parse is passed over", { [FILE]: "{", "/config.json": auths("cwd") }, "cwd"],
  ["an empty one too", { [FILE]: "", "/config.json": auths("cwd") }, "cwd"],
  [
    "and one with an entry that cannot be decoded",
    {
      [FILE]: JSON.stringify({ auths: { "r.example": { auth: b64("own:p") }, o: { auth: "!" } } }),
      "/config.json": auths("cwd"),
    },
    "cwd",
  ],
  [
    "all of the new form before the old",
    { "/var/lib/kubelet/.dockercfg": "{}", "/config.json": auths("cwd") },
    "cwd",
  ],
  ["the old form", { "/.dockercfg": JSON.stringify({ "r.example": { auth: b64("old:p") } }) }, "old"],
  ["null is valid, and empty", { [FILE]: "null", "/config.json": auths("cwd") }, "anonymous"],
  ["text is not", { [FILE]: '"x"', "/config.json": auths("cwd") }, "cwd"],
  ["nothing valid", { [FILE]: "[1]" }, "broken"],
  ["what a lax parser takes is not passed over", { [FILE]: '{"auths":{},"auths":{}}' }, "broken"],
])("the kubelet's search: %s", (_name, files, expected) => {
  expect(userOf(match(files))).toBe(expected);
});

test("file: names the one in another --root-dir, and the old form is looked for beside it", () => {
  const options = { file: "/data/kubelet/config.json" };
  expect(userOf(match({ "/data/kubelet/config.json": auths("own") }, { options }))).toBe("own");
  expect(kubelet.files({ ...target, options })).toContain("/data/kubelet/.dockercfg");
  expect(kubelet.compile([login("a", "r.example")], { ...target, options }).documents[0]?.path).toBe(
    "/data/kubelet/config.json",
  );
});

test("a person's own account on a node is warned of, a robot's is not", () => {
  const warned = (username: string, user = "ann"): number =>
    kubelet
      .compile([login("a", "r.example", { username })], { ...target, user })
      .warnings.filter(({ kind }) => kind === "danger").length;
  expect(warned("ann@site.example")).toBe(1);
  expect(warned("ann")).toBe(1);
  expect(warned("robot$team+ann")).toBe(0);
  expect(warned("root", "root")).toBe(0);
});

test("an entry of somebody that cannot be decoded hides the whole file, and is said", () => {
  const [document] = kubelet.compile([login("a", "r.example")], target).documents;
  if (document === undefined) throw new Error("no document");
  const before = JSON.stringify({ auths: { "else.example": { auth: "x" } } });
  const merged = kubelet.merge(Buffer.from(before), document, new Set());
  expect(merged.warnings.map(({ kind }) => kind)).toEqual(["danger"]);
  expect(kubelet.match(new Map([[FILE, merged.content ?? Buffer.of()]]), "r.example/x", target).kind).toBe(
    "broken",
  );
});

test("the login's CA is not the kubelet's to trust", () => {
  const ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const { documents, warnings } = kubelet.compile([login("a", "r.example", { ca })], target);
  expect(documents.map(({ path }) => path)).toEqual([FILE]);
  expect(warnings.map(({ kind }) => kind)).toEqual(["danger"]);
});
