import { expect, test } from "bun:test";
import { Secret } from "#core";
import type { ConsumerLogin, Target } from "../contract.ts";
import { podman } from "./index.ts";

const target: Target = { home: "/home/u", user: "u", uid: 1000, env: {} };

function login(name: string, registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return { name, registry, path: undefined, username: name, secret: new Secret(`${name}-word`), ...extra };
}

test("several logins on one host stand beside each other by path, Hub as docker.io", () => {
  const { documents, refusals } = podman.compile(
    [
      login("a", "r.example"),
      login("b", "r.example", { path: "team" }),
      login("hub", "docker.io", { path: "acme" }),
    ],
    target,
  );
  expect(documents[0]?.entries.map(({ key }) => key)).toEqual([
    "r.example",
    "r.example/team",
    "docker.io/acme",
  ]);
  expect(refusals).toEqual([]);
});

test("an identity token stands beside an auth that has a colon", () => {
  const token = crypto.randomUUID();
  const azure = login("z", "z.azurecr.io", { identityToken: true, secret: new Secret(token) });
  const content = JSON.parse(
    podman.compile([azure], target).documents[0]?.entries[0]?.content.reveal() ?? "",
  ) as unknown;
  expect(content).toEqual({ auth: Buffer.from("z:").toString("base64"), identitytoken: token });
});

test("any helper for the host, an empty one too, takes all of its entries: left out with the reason", () => {
  for (const helper of ["pass", ""]) {
    const [document] = podman.compile([login("b", "r.example", { path: "team" })], target).documents;
    if (document === undefined) throw new Error("no document");
    const before = JSON.stringify({ credHelpers: { "r.example": helper } });
    const merged = podman.merge(Buffer.from(before), document, new Set());
    expect(merged.refusals.map((refusal) => refusal.login)).toEqual(["b"]);
    expect(merged.changes).toEqual([]);
  }
});

test("the file, its folder of certificates, and CRI-O's", () => {
  const ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const paths = (over: Partial<Target>): unknown => {
    const { documents, warnings } = podman.compile([login("r", "r.example:5000", { ca })], {
      ...target,
      ...over,
    });
    return [documents.map((document) => document.path), warnings.map((warning) => warning.kind)];
  };
  expect(paths({})).toEqual([
    ["/home/u/.config/containers/auth.json", "/home/u/.config/containers/certs.d/r.example:5000/ca.crt"],
    [],
  ]);
  expect(paths({ env: { REGISTRY_AUTH_FILE: "/a.json", XDG_CONFIG_HOME: "/x" } })).toEqual([
    ["/a.json", "/home/u/.config/containers/certs.d/r.example:5000/ca.crt"],
    [],
  ]);
  expect(paths({ uid: 0, options: { file: "/var/lib/kubelet/config.json" } })).toEqual([
    ["/var/lib/kubelet/config.json", "/etc/containers/certs.d/r.example:5000/ca.crt"],
    [],
  ]);
  expect(paths({ env: { DOCKER_CONFIG: "/d" } })).toEqual([
    ["/home/u/.config/containers/auth.json", "/home/u/.config/containers/certs.d/r.example:5000/ca.crt"],
    ["shadowed"],
  ]);
});

test("two spellings of one host are taken at random", () => {
  const auth = { auth: Buffer.from("a:b").toString("base64") };
  const file = JSON.stringify({ auths: { "https://r.example/v1/": auth, "http://r.example": auth } });
  const answer = podman.match(
    new Map([["/home/u/.config/containers/auth.json", Buffer.from(file)]]),
    "r.example/x",
    target,
  );
  expect(answer.kind).toBe("broken");
});

// Found by comparing with go.podman.io/image 5.42.0.
test.each([
  ["a number as auth of another host", { auths: { "r.example": true, other: { auth: 3 } } }, "broken"],
  ["auths that is a list", { auths: [] }, "broken"],
  ["an entry that is text", { auths: { other: "x" } }, "broken"],
  ["an identity token that is a number", { auths: { other: { identitytoken: 3 } } }, "broken"],
  ["null instead of an entry", { auths: { "r.example": null } }, "anonymous"],
  ["a colon alone", { auths: { "r.example": { auth: "Og==" } } }, "anonymous"],
  [
    "another type in a field that podman does not know",
    { auths: { "r.example": { username: 3, auth: "YTpi" } } },
    "login",
  ],
])("podman decodes as Go does: %s", (_name, content, kind) => {
  const file = Buffer.from(JSON.stringify(content));
  const answer = podman.match(
    new Map([["/home/u/.config/containers/auth.json", file]]),
    "r.example/x",
    target,
  );
  expect<string>(answer.kind).toBe(kind);
});
