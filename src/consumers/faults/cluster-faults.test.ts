import { expect, test } from "bun:test";
import fc from "fast-check";
import { findClusterFaults } from "./cluster-faults.ts";
import type { Fault } from "./contract.ts";
import { findFaults } from "./find-faults.ts";

const now = new Date("2031-05-01T00:00:00Z");
const TYPE = "kubernetes.io/dockerconfigjson";

function secretText(namespace: string, config: string, more: object = {}): string {
  const data = { ".dockerconfigjson": Buffer.from(config).toString("base64") };
  return JSON.stringify({ kind: "Secret", metadata: { namespace, name: "s" }, type: TYPE, data, ...more });
}

function configOf(key: string, pair: string): string {
  return JSON.stringify({ auths: { [key]: { auth: Buffer.from(pair).toString("base64") } } });
}

/** One ServiceAccount of `n` that names these Secrets; a text is there, undefined is missing. */
function faultsOf(secrets: Readonly<Record<string, string | undefined>>, names = Object.keys(secrets)) {
  const path = (name: string): string => `/namespaces/n/secrets/${name}`;
  const there = Object.entries(secrets).flatMap(([name, text]) =>
    text === undefined ? [] : [[path(name), text] as const],
  );
  return findClusterFaults({
    accounts: [
      {
        path: "/namespaces/n/serviceaccounts/a",
        pullSecrets: names.map((name) => ({ name, path: path(name) })),
      },
    ],
    secrets: new Map(there),
    missing: new Set(
      Object.keys(secrets)
        .filter((name) => secrets[name] === undefined)
        .map(path),
    ),
    now,
  });
}

const account = (found: ReadonlyMap<string, readonly Fault[]>): readonly (readonly [string, string])[] =>
  (found.get("/namespaces/n/serviceaccounts/a") ?? []).map(({ code, message }) => [code, message]);

test("what ServiceAccounts and Secrets make of each other", () => {
  expect(account(faultsOf({ good: secretText("n", configOf("r.example", "u:p")) }))).toEqual([]);
  const found = faultsOf(
    {
      gone: undefined,
      one: secretText("n", configOf("https://r.example", "u:p")),
      two: secretText("n", configOf("r.example", "u:other")),
      same: secretText("n", configOf("r.example", "u:p")),
      opaque: secretText("n", "{}", { type: "Opaque", data: { "config.json": "e30=" } }),
    },
    ["gone", "one", "two", "one", "same", "opaque"],
  );
  expect(account(found)).toEqual([
    ["WD100", "imagePullSecrets names gone, which is not there: passed over, without an error"],
    ["WD101", "imagePullSecrets names one more than once"],
    [
      "WD102",
      "imagePullSecrets names opaque, of type Opaque with config.json: the kubelet takes no login from it",
    ],
    ["WD103", "two logins, tried one after the other: r.example in one and two"],
  ]);
});

test("a Secret of a cluster is read as its file would be, without lines and without a mending", () => {
  const labels = { metadata: { namespace: "n", name: "s", labels: { "runai/cluster-wide": "true" } } };
  const found = faultsOf({
    bare: secretText("n", '{"r.example":{"auth":"dTpw"}}', labels),
    broken: secretText("n", '{"auths":{"r.example":{"auth":"bm9jb2xvbg=="}}}'),
  });
  const codes = (name: string): unknown =>
    found.get(`/namespaces/n/secrets/${name}`)?.map(({ code, line, mend }) => [code, line, mend]);
  expect(codes("bare")).toEqual([
    ["WD025", undefined, undefined],
    ["WD006", undefined, undefined],
    ["WD104", undefined, undefined],
  ]);
  expect(codes("broken")).toEqual([["WD005", undefined, undefined]]);
  expect(account(found)).toEqual([]);
});

test("a token that tells its end is looked at, where the time is known", () => {
  const token = (claims: object): string =>
    ["eyJhbGciOiJub25lIn0", Buffer.from(JSON.stringify(claims)).toString("base64url"), "c2ln"].join(".");
  const codes = (secret: string, time?: Date): readonly string[] =>
    findFaults({
      path: "config.json",
      bytes: Buffer.from(configOf("r.example", `u:${secret}`)),
      ...(time === undefined ? {} : { now: time }),
    }).map(({ code }) => code);
  const end = now.getTime() / 1000;
  expect(codes(token({ exp: end - 1 }), now)).toEqual(["WD057"]);
  expect(codes(token({ exp: end }), now)).toEqual(["WD057"]);
  expect(codes(token({ exp: end + 1 }), now)).toEqual([]);
  expect(codes(token({ exp: end - 1 }))).toEqual([]);
  for (const other of [token({}), token({ exp: "1" }), token({ exp: 1e300 }), "abcd.efgh.ijkl", "a.b.c"])
    expect(codes(other, now)).toEqual([]);
});

test("whatever lies in a Secret, nothing is thrown and no secret is said", () => {
  const canary = "Zk7-canary-91";
  const json = fc.oneof(
    fc.json({ maxDepth: 3 }),
    fc.string(),
    fc
      .record({
        auths: fc.dictionary(
          fc.string(),
          fc.oneof(
            fc.constant({ auth: Buffer.from(`u:${canary}`).toString("base64") }),
            fc.record(
              { auth: fc.oneof(fc.string(), fc.integer()), username: fc.string() },
              { requiredKeys: [] },
            ),
            fc.jsonValue({ maxDepth: 1 }),
          ),
        ),
      })
      .map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(json, json, fc.constantFrom(TYPE, "Opaque", "kubernetes.io/dockercfg"), (a, b, type) => {
      const found = faultsOf({ a: secretText("n", a, { type }), b: secretText("n", b) });
      const said = JSON.stringify([...found]);
      expect(said).not.toContain(canary);
      expect(said).not.toContain(Buffer.from(canary).toString("base64").slice(0, 12));
    }),
    { seed: 41, numRuns: 500 },
  );
});
