import { expect, test } from "bun:test";
import fc from "fast-check";
import type { AppError } from "#core";
import { parseConfig } from "./parse-config.ts";

const PATH = "/site/wharf.yaml";

function parse(text: string): ReturnType<typeof parseConfig> {
  return parseConfig(PATH, text, "/home/ann");
}

function failure(text: string): AppError {
  try {
    parse(text);
  } catch (cause) {
    return cause as AppError;
  }
  throw new Error("it was taken");
}

test("the design's own example is read", () => {
  const config = parse(`
version: 1
logins:
  ngc:
    registry: nvcr.io
    username: $oauthtoken              # the secret comes from the vault, under the login's name
  hub:
    registry: index.docker.io
    username: acme-pull
    password: { env: HUB_TOKEN }
  team-a:
    registry: registry.example.ac.uk/team-a
    username: robot-team-a-pull
    expires: 2027-03-01
    ca: certs/ca.pem
    realm-hosts: [auth.example.ac.uk]
deliver:
  - { to: docker, at: "ssh://gpu[01-64]", logins: [ngc, hub] }
  - { to: enroot, at: "ssh://login1", users: { alice: [ngc], bob: [hub] } }
  - { to: runai, at: "k8s://prod", scope: cluster, name: site-registries, logins: [ngc] }
  - { to: apptainer,  at: local, logins: [ngc] }
  - { to: podman, at: "folder:out" }
`);
  expect(config.logins.get("hub")).toMatchObject({
    registry: "docker.io",
    path: undefined,
    source: { kind: "env", variable: "HUB_TOKEN" },
  });
  expect(config.logins.get("team-a")).toMatchObject({
    registry: "registry.example.ac.uk",
    path: "team-a",
    caFile: "/site/certs/ca.pem",
    realmHosts: ["auth.example.ac.uk"],
    source: { kind: "vault" },
  });
  expect(config.logins.get("team-a")?.expires?.toISOString()).toBe("2027-03-01T00:00:00.000Z");
  expect(config.deliveries.map((delivery) => delivery.at.kind)).toEqual([
    "ssh",
    "ssh",
    "k8s",
    "local",
    "folder",
  ]);
  expect(config.deliveries[2]?.options).toEqual({ scope: "cluster", name: "site-registries" });
  expect(config.deliveries[4]?.at).toEqual({ kind: "folder", text: "folder:out", folder: "/site/out" });
});

test("every source is read, and paths are taken from the file's folder and the home", () => {
  const config = parse(`
version: 1
logins:
  a: { registry: a.example, username: u, password: { file: secrets/a } }
  b: { registry: b.example, username: u, password: { file: ~/b } }
  c: { registry: c.example, username: u, password: { command: [pass, show, c] } }
  d: { registry: d.example, username: u, password: { docker-config: true } }
  e: { registry: e.example, username: u, password: vault }
`);
  expect([...config.logins.values()].map((login) => login.source)).toEqual([
    { kind: "file", path: "/site/secrets/a" },
    { kind: "file", path: "/home/ann/b" },
    { kind: "command", argv: ["pass", "show", "c"] },
    { kind: "docker-config", path: "/home/ann/.docker/config.json" },
    { kind: "vault" },
  ]);
});

const login = (lines: string): string => `version: 1\nlogins:\n  ngc:\n    registry: nvcr.io\n${lines}`;

test.each([
  ["an unknown key, with the near name", login("    user: x\n    username: y\n"), "CONFIG_INVALID", ":5:5:"],
  ["an unknown key at the top", "version: 1\nlogin: {}\n", "CONFIG_INVALID", ":2:1:"],
  ["a username with a colon", login('    username: "a:b"\n'), "CONFIG_INVALID", ":5:15:"],
  ["a missing username", login(""), "CONFIG_INVALID", ":3:3:"],
  [
    "a password that is written out",
    login("    username: u\n    password: hunter22\n"),
    "SECRET_IN_CONFIG",
    ":6:15:",
  ],
  ["a date that is none", login("    username: u\n    expires: soon\n"), "CONFIG_INVALID", ":6:14:"],
  [
    "a day that does not exist",
    login("    username: u\n    expires: 2027-02-31\n"),
    "CONFIG_INVALID",
    ":6:14:",
  ],
  ["two sources", login("    username: u\n    password: { env: A, file: b }\n"), "CONFIG_INVALID", ":6:5:"],
  [
    "a Secret without namespace",
    login("    username: u\n    password: { kubernetes: { name: x } }\n"),
    "CONFIG_INVALID",
    ":6:17:",
  ],
  [
    "a command for a shell",
    login("    username: u\n    password: { command: pass show }\n"),
    "CONFIG_INVALID",
    ":6:26:",
  ],
  [
    "a registry with a login in it",
    "version: 1\nlogins:\n  a: { registry: 'https://u@h.example', username: u }\n",
    "CONFIG_INVALID",
    ":3:18:",
  ],
  ["a number for a name", login("    username: 0123\n"), "CONFIG_INVALID", ":5:15:"],
  [
    "a delivery of a login that is not there",
    "version: 1\ndeliver:\n  - { to: docker, logins: [nope] }\n",
    "LOGIN_UNKNOWN",
    ":3:5:",
  ],
  [
    "a place that is none",
    "version: 1\ndeliver:\n  - { to: docker, at: nowhere }\n",
    "CONFIG_INVALID",
    ":3:23:",
  ],
  ["no version", "logins: {}\n", "CONFIG_INVALID", ":1:1:"],
  ["another version", "version: 2\n", "CONFIG_INVALID", ":1:10:"],
  ["a key twice", "version: 1\nversion: 1\n", "CONFIG_INVALID", ":2:1:"],
  [
    "an alias",
    "version: 1\nlogins:\n  a: &a { registry: a.example, username: u }\n  b: *a\n",
    "CONFIG_INVALID",
    ":4:6:",
  ],
  ["YAML that is none", "version: 1\nlogins: {\n", "CONFIG_INVALID", ":3:1:"],
])("%s is refused with file, line and column", (_, text, code, place) => {
  const error = failure(text);
  expect(error.code as string).toBe(code);
  expect(error.message).toStartWith(`${PATH}${place}`);
});

test("the near name of an unknown key is in the hint", () => {
  expect(failure(login("    username: u\n    pasword: x\n")).hint).toBe("did you mean password?");
});

test("a written-out password is not repeated", () => {
  const error = failure(login("    username: u\n    password: hunter22\n"));
  expect(`${error.message} ${error.hint}`).not.toContain("hunter22");
});

test("a token anywhere, even in a comment, is refused and not repeated", () => {
  for (const token of [`ghp_${"a1B2".repeat(9)}`, `nvapi-${"x9".repeat(20)}`, `wharf_${"Zq".repeat(20)}`]) {
    const error = failure(`version: 1\n# old: ${token}\nlogins: {}\n`);
    expect(error.code).toBe("SECRET_IN_CONFIG");
    expect(error.message).toStartWith(`${PATH}:2:8:`);
    expect(error.message + error.hint).not.toContain(token);
  }
});

const two = (deliver: string): string =>
  `version: 1\nlogins:\n  ann: { registry: nvcr.io, username: a }\n  bob: { registry: nvcr.io, username: b }\n${deliver}`;

test("two logins for the same images collide, unless deliveries split them", () => {
  expect(failure(two("")).code).toBe("LOGINS_COLLIDE");
  expect(failure(two("")).message).toStartWith(`${PATH}:4:3:`);
  expect(failure(two("deliver:\n  - { to: docker, logins: [ann, bob] }\n")).code).toBe("LOGINS_COLLIDE");
  expect(failure(two("deliver:\n  - { to: docker, logins: [ann] }\n")).code).toBe("LOGINS_COLLIDE");
  expect(
    failure(two("deliver:\n  - { to: docker, logins: [ann] }\n  - { to: docker, logins: [bob] }\n")).code,
  ).toBe("LOGINS_COLLIDE");
  const split = "deliver:\n  - { to: docker, logins: [ann] }\n  - { to: podman, logins: [bob] }\n";
  expect(parse(two(split)).logins.size).toBe(2);
  const users = "deliver:\n  - { to: docker, users: { ann: [ann], bob: [bob] } }\n";
  expect(parse(two(users)).logins.size).toBe(2);
});

test("Hub's names are one registry, a path is another", () => {
  const hub =
    "version: 1\nlogins:\n  a: { registry: docker.io, username: a }\n  b: { registry: registry-1.docker.io, username: b }\n";
  expect(failure(hub).code).toBe("LOGINS_COLLIDE");
  const path =
    "version: 1\nlogins:\n  a: { registry: r.example, username: a }\n  b: { registry: r.example/team, username: b }\n";
  expect(parse(path).logins.size).toBe(2);
});

test("whatever bytes come, an error is ours and says where", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 200 }),
        fc
          .array(
            fc.constantFrom(
              "version: 1\n",
              "logins:\n",
              "  a:\n",
              "    registry: x.example\n",
              "    username: u\n",
              "deliver:\n",
              "  - {",
              "to: docker",
              "}",
              "[",
              "&x ",
              "*x",
              ": ",
              "- ",
              "\t",
              '"',
              "'",
              "!!binary ",
              "? ",
            ),
            { maxLength: 20 },
          )
          .map((parts) => parts.join("")),
      ),
      (text) => {
        try {
          parse(text);
        } catch (cause) {
          const error = cause as AppError;
          expect(error.name).toBe("AppError");
          expect(error.message).toStartWith(PATH);
        }
      },
    ),
    { seed: 3, numRuns: 500 },
  );
});
