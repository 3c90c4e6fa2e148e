import { expect, test } from "bun:test";
import { Secret } from "#core";
import type { ConsumerLogin, MatchAnswer, Target } from "../contract.ts";
import { crio } from "./index.ts";

const target: Target = { home: "/root", user: "root", uid: 0, env: {} };
const MAIN = "/etc/crio/crio.conf";
const DROP_IN = "/etc/crio/crio.conf.d/99-wharf-auth.conf";
const OWN = "/etc/crio/wharf-auth.json";
const ROOTS = "/root/.config/containers/auth.json";
const auths = (user: string): string =>
  JSON.stringify({ auths: { "r.example": { auth: Buffer.from(`${user}:p`).toString("base64") } } });
const naming = (path: string): string => `[crio.image]\nglobal_auth_file = "${path}"\n`;

function login(name: string, registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return { name, registry, path: undefined, username: name, secret: new Secret(`${name}-word`), ...extra };
}

function match(files: Readonly<Record<string, string>>, over: Partial<Target> = {}): MatchAnswer {
  const bytes = new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));
  return crio.match(bytes, "r.example/team/x", { ...target, ...over });
}

const userOf = (answer: MatchAnswer): string =>
  answer.kind === "login" ? answer.match.username : answer.kind;

test.each([
  [
    "without a global_auth_file where root's podman looks",
    { [ROOTS]: auths("roots"), [OWN]: auths("own") },
    "roots",
  ],
  [
    "the drop-in names ours, the only file then",
    { [DROP_IN]: naming(OWN), [ROOTS]: auths("roots"), [OWN]: auths("own") },
    "own",
  ],
  ["ours alone, even where it has nothing", { [DROP_IN]: naming(OWN), [ROOTS]: auths("roots") }, "anonymous"],
  [
    "the drop-in after the main file",
    { [MAIN]: naming(ROOTS), [DROP_IN]: naming(OWN), [ROOTS]: auths("roots"), [OWN]: auths("own") },
    "own",
  ],
  ["the main file", { [MAIN]: naming(ROOTS), [ROOTS]: auths("roots") }, "roots"],
  ["an empty name is none", { [MAIN]: naming(""), [ROOTS]: auths("roots") }, "roots"],
  [
    "a dotted key means the same",
    { [MAIN]: `crio.image.global_auth_file = '${OWN}'`, [OWN]: auths("own") },
    "own",
  ],
  ["a file that is not TOML: CRI-O does not start", { [MAIN]: "[crio", [ROOTS]: auths("roots") }, "broken"],
  ["a number for the name: neither", { [MAIN]: "[crio.image]\nglobal_auth_file = 3\n" }, "broken"],
])("CRI-O's search: %s", (_name, files, expected) => {
  expect(userOf(match(files))).toBe(expected);
});

test("a global_auth_file that was not looked into is said, and file: looks there", () => {
  const files = { [MAIN]: naming("/else.json"), "/else.json": auths("else") };
  const answer = match(files);
  expect(answer.kind === "anonymous" && answer.why).toContain("file: /else.json");
  expect(userOf(match(files, { options: { file: "/else.json" } }))).toBe("else");
});

test("an auth file and a drop-in; with file: the file alone; the CA where CRI-O looks for it", () => {
  const ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const of = (over: Partial<Target>): unknown =>
    crio
      .compile([login("a", "r.example:5000", { ca })], { ...target, ...over })
      .documents.map(({ path, mode }) => [path, mode]);
  expect(of({})).toEqual([
    [OWN, 0o600],
    ["/etc/containers/certs.d/r.example:5000/ca.crt", 0o644],
    [DROP_IN, 0o644],
  ]);
  expect(of({ options: { file: "/f.json" } })).toEqual([
    ["/f.json", 0o600],
    ["/etc/containers/certs.d/r.example:5000/ca.crt", 0o644],
  ]);
});

test("what is delivered is what CRI-O reads, and goes without a trace", () => {
  const files: Record<string, string> = {};
  const { documents } = crio.compile([login("a", "r.example")], target);
  for (const document of documents) {
    const merged = crio.merge(undefined, document, new Set());
    files[document.path] = Buffer.from(merged.content ?? "").toString();
    const owned = new Set(merged.changes.map((change) => change.key));
    const { body: _, ...rest } = document;
    expect(crio.merge(merged.content, { ...rest, entries: [] }, owned).content).toBeUndefined();
  }
  expect(userOf(match(files))).toBe("a");
});
