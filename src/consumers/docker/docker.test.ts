import { describe, expect, test } from "bun:test";
import { type AppError, Secret } from "#core";
import type { ConsumerLogin, FileDocument, Target } from "../contract.ts";
import { docker } from "./index.ts";

const target: Target = { home: "/home/u", user: "u", uid: 1000, env: {} };
const FILE = "/home/u/.docker/config.json";

function login(name: string, registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return {
    name,
    registry,
    path: undefined,
    username: `${name}-user`,
    secret: new Secret(`${name}-word`),
    ...extra,
  };
}

function compiled(...logins: ConsumerLogin[]): FileDocument {
  const [document] = docker.compile(logins, target).documents;
  if (document === undefined) throw new Error("no document");
  return document;
}

function merge(before: string | undefined, document: FileDocument, owned: string[] = []) {
  const merged = docker.merge(
    before === undefined ? undefined : Buffer.from(before),
    document,
    new Set(owned),
  );
  return {
    ...merged,
    text: merged.content === undefined ? undefined : Buffer.from(merged.content).toString(),
  };
}

function match(text: string, image: string, env: Record<string, string> = {}, version = "28.2.2") {
  return docker.match(new Map([[FILE, Buffer.from(text)]]), image, { ...target, env, version });
}

const b64 = (pair: string): string => Buffer.from(pair).toString("base64");

test("a new file is what docker itself would write", () => {
  const { text, changes } = merge(undefined, compiled(login("hub", "docker.io")));
  expect(text).toBe(
    `{\n\t"auths": {\n\t\t"https://index.docker.io/v1/": {\n\t\t\t"auth": "${b64("hub-user:hub-word")}"\n\t\t}\n\t}\n}\n`,
  );
  expect(changes).toEqual([{ key: "https://index.docker.io/v1/", login: "hub", action: "add" }]);
});

test("foreign entries, order, unknown fields, indentation and the missing last newline stay byte for byte", () => {
  const before = `{"HttpHeaders": {"X": "y"},\r\n    "auths": {\r\n        "a.example": {"auth":"${b64("a:b")}", "email" : "x"}\r\n    },\r\n    "plugins": {} }`;
  const added = merge(before, compiled(login("r", "r.example:5000")));
  expect(added.text).toBe(
    before.replace(
      `"x"}\r\n    }`,
      `"x"},\r\n        "r.example:5000": {\r\n            "auth": "${b64("r-user:r-word")}"\r\n        }\r\n    }`,
    ),
  );
  const second = merge(added.text, compiled(login("r", "r.example:5000")), ["r.example:5000"]);
  expect(second.text).toBe(added.text);
  expect(second.changes.map((change) => change.action)).toEqual(["keep"]);
  const gone = merge(added.text, { ...compiled(login("r", "r.example:5000")), entries: [] }, [
    "r.example:5000",
  ]);
  expect(gone.text).toBe(before);
});

test("a touched entry keeps its unknown fields and loses every old form of the secret", () => {
  const before = `{"auths":{"r.example":{"email":"me","username":"old","password":"old","identitytoken":"t","registrytoken":"u"}}}`;
  const { text, changes, warnings } = merge(before, compiled(login("r", "r.example")));
  expect(text).toBe(`{"auths":{"r.example":{"email":"me","auth":"${b64("r-user:r-word")}"}}}`);
  expect(changes[0]?.differs).toEqual(["username", "secret", "identity token", "registry token"]);
  expect(warnings.map((warning) => warning.kind)).toEqual(["format"]);
});

test("removal takes our keys alone, an equal copy under Hub's other spelling, and empty leftovers", () => {
  const hub = login("hub", "docker.io");
  const written = merge(undefined, compiled(hub)).text;
  expect(
    merge(written, { ...compiled(hub), entries: [] }, ["https://index.docker.io/v1/"]).content,
  ).toBeUndefined();
  const copies = `{"auths":{"docker.io":{"auth":"${b64("hub-user:hub-word")}"},"https://index.docker.io/v1/":{"auth":"${b64("hub-user:hub-word")}"},"x.example":{}}}`;
  expect(merge(copies, { ...compiled(hub), entries: [] }, ["https://index.docker.io/v1/"]).text).toBe(
    `{"auths":{"x.example":{}}}`,
  );
  expect(merge(`{"auths":{}}`, { ...compiled(hub), entries: [] }).text).toBe(`{"auths":{}}`);
});

test.each([
  ["garbage", `{"auths": {`, ":1:12"],
  ["a comment", `{\n  // mine\n}`, ":2:3"],
  ["a key twice", `{"auths":{"a":{},"a":{}}}`, ":1:18"],
  ["a byte order mark", "\uFEFF{}", ":1:1"],
  ["an array", "[]", ":1:1"],
  ["auths that is no object", `{"auths":3}`, ":1:10"],
  ["single quotes", `{'auths':{}}`, ":1:2"],
])("a file with %s is refused with its place", (_name, text, where) => {
  const fault = (() => {
    try {
      merge(text, compiled(login("r", "r.example")));
      return undefined;
    } catch (error) {
      return error as AppError;
    }
  })();
  expect(fault?.code).toBe("FILE_INVALID");
  expect(fault?.message).toContain(`${FILE}${where}`);
});

test("Go finds fields whatever their case, so does the writer", () => {
  expect(merge(`{"Auths":{"x.example":{}}}`, compiled(login("r", "r.example"))).text).toStartWith(
    `{"Auths":{"x.example":{},"r.example":`,
  );
});

test("credsStore is got round by an empty helper for our key, which goes with the entry", () => {
  const before = `{"credsStore":"pass","auths":{"r.example":{}}}`;
  const { text, warnings } = merge(before, compiled(login("r", "r.example")));
  expect(JSON.parse(text ?? "").credHelpers).toEqual({ "r.example": "" });
  expect(warnings.map((warning) => warning.kind)).toContain("shadowed");
  expect(match(text ?? "", "r.example/x").kind).toBe("login");
  const gone = merge(text, { ...compiled(login("r", "r.example")), entries: [] }, ["r.example"]);
  expect(gone.text).toBe(`{"credsStore":"pass"}`);
});

test("somebody's helper for our host is not overruled: the login is refused with what to do", () => {
  const before = `{"credHelpers":{"r.example":"ecr-login"}}`;
  const { text, refusals, changes } = merge(
    before,
    compiled(login("r", "r.example"), login("s", "s.example")),
  );
  expect(refusals.map((refusal) => refusal.login)).toEqual(["r"]);
  expect(refusals[0]?.hint).toContain("credHelpers");
  expect(changes.map((change) => change.key)).toEqual(["s.example"]);
  expect(match(text ?? "", "r.example/x").kind).toBe("helper");
});

test("what a file cannot express is refused", () => {
  const { refusals, documents } = docker.compile(
    [
      login("colon", "a.example", { username: "a:b" }),
      login("nobody", "b.example", { username: "" }),
      login("blank", "c.example", { secret: new Secret("") }),
      login("nul", "d.example", { secret: new Secret("x\0") }),
      login("one", "e.example", { path: "team-a" }),
      login("two", "e.example"),
    ],
    target,
  );
  expect(refusals.map((refusal) => refusal.login).sort()).toEqual([
    "blank",
    "colon",
    "nobody",
    "nul",
    "one",
    "two",
  ]);
  expect(documents).toEqual([]);
});

test("a path alone on its host is written for the host, and said to be wider", () => {
  const { documents, warnings } = docker.compile([login("r", "r.example", { path: "team" })], target);
  expect(documents[0]?.entries.map((entry) => entry.key)).toEqual(["r.example"]);
  expect(warnings.map((warning) => warning.kind)).toEqual(["wider"]);
});

test("a CA goes where the daemon looks when root writes, else it is said what root must do", () => {
  const ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const asUser = docker.compile([login("r", "r.example:5000", { ca })], target);
  expect(asUser.warnings.map((warning) => warning.kind)).toEqual(["danger"]);
  expect(asUser.warnings[0]?.hint).toContain("/etc/docker/certs.d/r.example:5000/ca.crt");
  const asRoot = docker.compile([login("r", "r.example:5000", { ca })], { ...target, uid: 0 });
  const certificate = asRoot.documents[1];
  expect(certificate).toMatchObject({
    path: "/etc/docker/certs.d/r.example:5000/ca.crt",
    mode: 0o644,
    body: ca,
  });
  if (certificate === undefined) throw new Error("no certificate");
  expect(docker.merge(Buffer.from(ca), certificate, new Set()).changes[0]?.action).toBe("keep");
  const { body: _, ...unwanted } = certificate;
  expect(docker.merge(Buffer.from(ca), unwanted, new Set(["(file)"])).content).toBeUndefined();
  expect(docker.merge(Buffer.from(ca), unwanted, new Set()).content).toEqual(Buffer.from(ca));
});

test("docker's reader: Hub's key, exact host, helpers, chance and empty entries", () => {
  const entry = (pair: string): string => `{"auth":"${b64(pair)}"}`;
  expect(match(`{"auths":{"docker.io":${entry("a:b")}}}`, "nginx")).toMatchObject({ kind: "anonymous" });
  expect(match(`{"auths":{"https://index.docker.io/v1/":${entry("a:b:c")}}}`, "nginx")).toMatchObject({
    kind: "login",
    match: { username: "a", key: "https://index.docker.io/v1/" },
  });
  expect(match(`{"auths":{"https://r.example/v1/":${entry("a:b")}}}`, "r.example/x").kind).toBe("login");
  expect(
    match(`{"auths":{"r.example/a":${entry("a:b")},"r.example/b":${entry("c:d")}}}`, "r.example/x").kind,
  ).toBe("broken");
  expect(match(`{"auths":{"r.example":${entry("a:b")}}}`, "r.example:443/x").kind).toBe("anonymous");
  expect(
    match(`{"auths":{"r.example":${entry("a:b")},"other":{"auth":"bm9jb2xvbg=="}}}`, "r.example/x").kind,
  ).toBe("broken");
  expect(match(`{"auths":{"r.example":{"username":"u","password":"p"}}}`, "r.example/x")).toMatchObject({
    kind: "login",
    match: { username: "u" },
  });
  expect(match(`{"auths":{"r.example":{}}}`, "r.example/x").kind).toBe("anonymous");
  expect(match(`{"credsStore":"pass","auths":{"r.example":${entry("a:b")}}}`, "r.example/x")).toMatchObject({
    kind: "helper",
    helper: "pass",
  });
  expect(
    match(`{"auths":{"r.example":{"auth":"${b64("u:")}","identitytoken":"t"}}}`, "r.example/x"),
  ).toMatchObject({
    kind: "login",
    match: { identityToken: true },
  });
});

test("DOCKER_AUTH_CONFIG is read by new versions alone, and strictly", () => {
  const file = `{"auths":{"r.example":{"auth":"${b64("file:b")}"}}}`;
  const env = { DOCKER_AUTH_CONFIG: `{"auths":{"r.example":{"auth":"${b64("env:b")}"}}}` };
  expect(match(file, "r.example/x", env, "28.2.2")).toMatchObject({ match: { username: "file" } });
  expect(match(file, "r.example/x", env, "29.0.0")).toMatchObject({ match: { username: "env" } });
  const loose = { DOCKER_AUTH_CONFIG: `{"auths":{"r.example":{"auth":"${b64("env:b")}","email":"x"}}}` };
  expect(match(file, "r.example/x", loose, "29.0.0")).toMatchObject({ match: { username: "file" } });
});

test("DOCKER_CONFIG moves the file", () => {
  const moved = docker.compile([login("r", "r.example")], { ...target, env: { DOCKER_CONFIG: "/srv/cfg" } });
  expect(moved.documents[0]?.path).toBe("/srv/cfg/config.json");
});

// Found by comparing with docker/cli 29.9.3.
test.each([
  ["auths that is a list", `{"auths":[]}`, "broken"],
  ["credHelpers of another type", `{"credHelpers":{"x":3}}`, "broken"],
  ["credsStore of another type", `{"credsStore":3}`, "broken"],
  ["HttpHeaders of another type", `{"HttpHeaders":"x"}`, "broken"],
  ["a user and an empty port in a key", `{"auths":{"http://u@r.example:":{"auth":"YTpi"}}}`, "login"],
  [
    "another type in a field that docker does not know",
    `{"auths":{"r.example":{"auth":"YTpi","email":3}}}`,
    "login",
  ],
  ["null instead of an entry", `{"auths":{"r.example":null}}`, "anonymous"],
])("docker decodes as Go does: %s", (_name, text, kind) => {
  expect<string>(match(text, "r.example/x").kind).toBe(kind);
});

describe("helper: wharf", () => {
  const KEY = "credHelpers r.example:5000";
  const withHelper: Target = { ...target, options: { helper: "wharf" } };
  const helped = (...logins: ConsumerLogin[]): FileDocument => {
    const [document] = docker.compile(logins, withHelper).documents;
    if (document === undefined) throw new Error("no document");
    return document;
  };
  const ours = login("r", "r.example:5000");

  test("the file names the helper and holds no secret; a second merge changes nothing", () => {
    const { text, changes } = merge(undefined, helped(ours, login("hub", "docker.io")));
    expect(text).toBe(
      '{\n\t"credHelpers": {\n\t\t"r.example:5000": "wharf",\n\t\t"https://index.docker.io/v1/": "wharf"\n\t}\n}\n',
    );
    expect(changes).toEqual([
      { key: KEY, login: "r", action: "add" },
      { key: "credHelpers https://index.docker.io/v1/", login: "hub", action: "add" },
    ]);
    const again = merge(text, helped(ours, login("hub", "docker.io")), [KEY]);
    expect(again.text).toBe(text);
    expect(again.changes.map(({ action }) => action)).toEqual(["keep", "keep"]);
    expect(match(text ?? "", "r.example:5000/team/x")).toMatchObject({ kind: "helper", helper: "wharf" });
  });

  test("from secrets to the helper and back, and away, foreign entries stay byte for byte", () => {
    const before = `{\n  "auths": {\n    "a.example": {"auth": "${b64("a:b")}"}\n  },\n  "credHelpers": { "b.example": "pass" }\n}`;
    const inFile = merge(before, compiled(ours));
    const byHelper = merge(inFile.text, helped(ours), ["r.example:5000"]);
    expect(byHelper.text).toBe(before.replace('"pass" }', '"pass", "r.example:5000": "wharf" }'));
    expect(byHelper.changes.map(({ key, action }) => [key, action])).toEqual([
      [KEY, "add"],
      ["r.example:5000", "remove"],
    ]);
    expect(merge(byHelper.text, compiled(ours), [KEY]).text).toBe(inFile.text);
    expect(merge(byHelper.text, { ...helped(ours), entries: [] }, [KEY]).text).toBe(before);
    const alone = merge(undefined, helped(ours));
    expect(merge(alone.text, { ...helped(ours), entries: [] }, [KEY]).content).toBeUndefined();
  });

  test("with a credsStore the helper is still asked for its registry", () => {
    const merged = merge('{"credsStore":"pass"}', helped(ours));
    expect(match(merged.text ?? "", "r.example:5000/x")).toMatchObject({ kind: "helper", helper: "wharf" });
    expect(merge(merged.text, { ...helped(ours), entries: [] }, [KEY]).text).toBe('{"credsStore":"pass"}');
  });

  test("somebody's helper stays, and a secret that is left in the file is told", () => {
    const taken = '{"credHelpers":{"r.example:5000":"pass"}}';
    const merged = merge(taken, helped(ours), [KEY]);
    expect(merged.text).toBe(taken);
    expect(merged.refusals).toMatchObject([{ login: "r", reason: expect.stringContaining("pass") }]);
    // Changed since we wrote it: somebody's choice, not ours to take away.
    expect(merge(taken, { ...helped(ours), entries: [] }, [KEY]).text).toBe(taken);
    const left = merge(`{"auths":{"r.example:5000":{"auth":"${b64("x:y")}"}}}`, helped(ours));
    expect(left.warnings).toMatchObject([{ message: expect.stringContaining("is not read any more") }]);
  });

  test("a path is refused, and so is another helper's name", () => {
    const team = login("team", "r.example", { path: "team" });
    expect(docker.compile([team], withHelper)).toMatchObject({
      documents: [],
      refusals: [{ login: "team", reason: expect.stringContaining("all of r.example") }],
    });
    expect(docker.compile([ours], { ...target, options: { helper: "pass" } }).refusals).toHaveLength(1);
  });
});
