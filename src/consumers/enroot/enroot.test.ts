import { expect, test } from "bun:test";
import { isAppError, Secret } from "#core";
import type { ConsumerLogin, Target } from "../contract.ts";
import { enroot } from "./index.ts";

const FILE = "/home/u/.config/enroot/.credentials";
const target: Target = { home: "/home/u", user: "u", uid: 1000, env: {}, versions: { curl: "8.5.0" } };

function login(name: string, registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return {
    name,
    registry,
    path: undefined,
    username: name,
    secret: new Secret(`${name}-word`),
    realmHosts: [],
    ...extra,
  };
}

function text(
  logins: readonly ConsumerLogin[],
  before?: string,
  owned: readonly string[] = [],
): string | undefined {
  const [document] = enroot.compile(logins, target).documents;
  if (document === undefined) throw new Error("no document");
  const { content } = enroot.merge(
    before === undefined ? undefined : Buffer.from(before),
    document,
    new Set(owned),
  );
  return content === undefined ? undefined : Buffer.from(content).toString();
}

function match(file: string, image: string, over: Partial<Target> = {}) {
  return enroot.match(new Map([[FILE, Buffer.from(file)]]), image, { ...target, ...over });
}

test("Hub has a line for each spelling and one for its token host; the port is left out", () => {
  expect(
    text([login("hub", "docker.io")])
      ?.split("\n")
      .map((line) => line.split(" ")[1]),
  ).toEqual([
    "registry-1.docker.io",
    "docker.io",
    "index.docker.io",
    "auth.docker.io",
    undefined,
  ] as string[]);
  expect(text([login("r", "r.example:5000", { realmHosts: ["r.example"] })])).toBe(
    "machine r.example login r password r-word\n",
  );
});

test("the seed's one line for auth.docker.io is anonymous, the registry's alone sends no password", () => {
  expect(match("machine auth.docker.io login u password p\n", "nginx").kind).toBe("anonymous");
  expect(match("machine registry-1.docker.io login u password p\n", "nginx")).toMatchObject({
    kind: "broken",
    why: expect.stringContaining("auth.docker.io"),
  });
});

test.each([
  ["a port in the line", "machine r.example:5000 login u password p\n", "anonymous"],
  ["the words in another order", "machine r.example password p login u\n", "anonymous"],
  ["a default entry", "default login u password p\n", "anonymous"],
  ["a block over lines", "machine r.example\n login u\n password p\n", "anonymous"],
  ["spaces at the margin", "  machine r.example login u password p\n", "broken"],
  ["a user that is a pattern", "machine r.example login a*b password p\n", "broken"],
  ["a password for the shell", "machine r.example login u password $HOME\n", "broken"],
  ["the same in quotes", 'machine r.example login u password "$HOME"\n', "login"],
  ["a user with a dollar", "machine r.example login $oauthtoken password p\n", "login"],
  ["an open quote", 'machine r.example login u password "p\n', "broken"],
  ["a comment before", "# mine\nmachine r.example login u password p\n", "login"],
])("reads as Enroot and curl do: %s", (_name, file, kind) => {
  expect(match(file, "r.example:5000/x").kind).toBe(kind as "login");
});

test("quotes are sent by an old curl, and the first line for a host wins", () => {
  const quoted = 'machine r.example login u password "a b"\n';
  expect(match(quoted, "r.example/x", { versions: { curl: "7.81.0" } }).kind).toBe("broken");
  const two = "machine r.example login first password one\nmachine r.example login u password p\n";
  expect(match(two, "docker://u@r.example#x")).toMatchObject({
    match: { username: "first", shadows: [expect.stringContaining("first")] },
  });
});

test.each([
  ["a colon in the user", { username: "a:b" }],
  ["a space in the user", { username: "a b" }],
  ["a pattern as user", { username: "a*" }],
  ["a dollar at the user's end", { username: "a$" }],
  ["an identity token", { identityToken: true }],
  ["a control character", { secret: new Secret("a\u0007b") }],
])("refused, with a hint: %s", (_name, extra) => {
  const { refusals, documents } = enroot.compile([login("r", "r.example", extra)], target);
  expect(refusals).toMatchObject([{ login: "r", hint: expect.stringMatching(/./) }]);
  expect(documents).toEqual([]);
});

test.each(["$x", "#x", '"x', "a b", "a\tb"])("the secret %j needs a curl that reads quotes", (secret) => {
  const one = [login("r", "r.example", { secret: new Secret(secret) })];
  const compiled = (curl?: string) =>
    enroot.compile(one, { ...target, versions: curl === undefined ? {} : { curl } }).refusals.length;
  expect([compiled("7.81.0"), compiled("7.84.0"), compiled("8.0.1"), compiled()]).toEqual([1, 0, 0, 1]);
  expect(enroot.compile(one, { ...target, versions: {}, options: { curl: "7.88" } }).refusals).toEqual([]);
});

test("Google's key file becomes one word that means the same, for every curl", () => {
  const key = { type: "service_account", text: "-----BEGIN\nab cd\n-----END\n", made: crypto.randomUUID() };
  const google = login("gcr", "eu.gcr.io", {
    username: "_json_key",
    secret: new Secret(JSON.stringify(key, null, 2)),
  });
  const { documents } = enroot.compile([google], { ...target, versions: {} });
  const line = documents[0]?.entries[0]?.content.reveal() ?? "";
  expect(line.split(/\s+/)).toHaveLength(6);
  expect(JSON.parse(line.split(" ")[5] ?? "")).toEqual(key);
});

test("logins that need different lines for one host are refused all, whatever port, path or token host", () => {
  const names = (...logins: ConsumerLogin[]): string[] =>
    enroot
      .compile(logins, target)
      .refusals.map((refusal) => refusal.login)
      .sort();
  expect(names(login("a", "r.example:1"), login("b", "r.example:2"))).toEqual(["a", "b"]);
  expect(names(login("a", "r.example", { path: "x" }), login("b", "r.example"))).toEqual(["a", "b"]);
  expect(names(login("a", "a.example", { realmHosts: ["t.example"] }), login("b", "t.example"))).toEqual([
    "a",
    "b",
  ]);
  const same = { username: "same", secret: new Secret("same-word") };
  expect(names(login("a", "r.example:1", same), login("b", "r.example:2", same))).toEqual([]);
});

test("ours stands before what would be found first; comments, theirs and line ends stay", () => {
  const before =
    "# top\r\nmachine else.example login x password y\r\nmachine r.example login other password z\r\ndefault login d password e";
  const after = text([login("r", "r.example")], before);
  expect(after).toBe(
    before.replace("machine r.example", "machine r.example login r password r-word\nmachine r.example"),
  );
  const again = text([login("r", "r.example")], after, ["machine r.example login r"]);
  expect(again).toBe(after);
});

test("somebody's line that came before ours is an order to mend", () => {
  const drifted = "machine r.example login other password z\nmachine r.example login r password r-word\n";
  const [document] = enroot.compile([login("r", "r.example")], target).documents;
  if (document === undefined) throw new Error("no document");
  const merged = enroot.merge(Buffer.from(drifted), document, new Set(["machine r.example login r"]));
  expect(merged.changes).toMatchObject([{ action: "update", differs: ["order"] }]);
  expect(Buffer.from(merged.content ?? "").toString()).toBe(
    "machine r.example login r password r-word\nmachine r.example login other password z\n",
  );
});

test("removal leaves no line of ours, and no file where there was nothing else", () => {
  const ours = text([login("r", "r.example")]);
  const [document] = enroot.compile([login("r", "r.example")], target).documents;
  if (document === undefined) throw new Error("no document");
  const owned = new Set(["machine r.example login r"]);
  const empty = { ...document, entries: [] };
  expect(enroot.merge(Buffer.from(ours ?? ""), empty, owned).content).toBeUndefined();
  const open = "machine x.example login x password y";
  const both = text([login("r", "r.example")], open) ?? "";
  expect(Buffer.from(enroot.merge(Buffer.from(both), empty, owned).content ?? "").toString()).toBe(open);
});

test("a file with an open quote is refused with its line, never its content", () => {
  const [document] = enroot.compile([login("r", "r.example")], target).documents;
  if (document === undefined) throw new Error("no document");
  let message = "";
  try {
    enroot.merge(Buffer.from('# x\nmachine a login b password "canary\n'), document, new Set());
  } catch (error) {
    if (isAppError(error, "FILE_INVALID")) message = error.message;
  }
  expect(message).toStartWith(`${FILE}:2: `);
  expect(message).not.toContain("canary");
});

test("ENROOT_CONFIG_PATH and XDG_CONFIG_HOME move the file", () => {
  const path = (env: Record<string, string>) => enroot.files({ ...target, env })[0];
  expect(path({ ENROOT_CONFIG_PATH: "/e", XDG_CONFIG_HOME: "/x" })).toBe("/e/.credentials");
  expect(path({ XDG_CONFIG_HOME: "/x" })).toBe("/x/enroot/.credentials");
});
