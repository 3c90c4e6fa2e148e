import { expect, test } from "bun:test";
import { isAppError, Secret } from "#core";
import type { ConsumerLogin, FileDocument, Merged, Target } from "../contract.ts";
import { kubernetes } from "./index.ts";

const login: ConsumerLogin = {
  name: "hub",
  registry: "docker.io",
  path: undefined,
  username: "u",
  secret: new Secret("word"),
};
const options = { namespaces: ["a", "b"], "service-accounts": ["default", "builder"], kustomization: true };

function documentsOf(over: Readonly<Record<string, unknown>> = {}): readonly FileDocument[] {
  const target: Target = { home: "/out", user: "u", uid: 1000, env: {}, options: { ...options, ...over } };
  return kubernetes.compile([login], target).documents;
}

function documentAt(path: string, over: Readonly<Record<string, unknown>> = {}): FileDocument {
  const found = documentsOf(over).find((document) => document.path === path);
  if (found === undefined) throw new Error(`no ${path}`);
  return found;
}

const textOf = (merged: Merged): string | undefined =>
  merged.content === undefined ? undefined : Buffer.from(merged.content).toString();
const ownedBy = (merged: Merged): ReadonlySet<string> => new Set(merged.changes.map(({ key }) => key));
const emptied = ({ path }: FileDocument): FileDocument => ({
  kind: "file",
  path,
  mode: 0o600,
  folderMode: 0o700,
  entries: [],
});

test("a Secret, its ServiceAccounts and a kustomization for each namespace, and one above", () => {
  expect(documentsOf().map(({ path, entries }) => [path, entries.length > 0])).toEqual([
    ["/out/a/regcred.yaml", true],
    ["/out/b/regcred.yaml", true],
    ["/out/a/serviceaccount-default.yaml", false],
    ["/out/a/serviceaccount-builder.yaml", false],
    ["/out/b/serviceaccount-default.yaml", false],
    ["/out/b/serviceaccount-builder.yaml", false],
    ["/out/a/kustomization.yaml", false],
    ["/out/kustomization.yaml", false],
    ["/out/b/kustomization.yaml", false],
  ]);
});

test("nothing secret in what names a Secret", () => {
  const secrets = [login.secret.reveal(), Buffer.from("u:word").toString("base64")];
  for (const document of documentsOf().filter(({ entries }) => entries.length === 0))
    for (const secret of secrets)
      expect(textOf(kubernetes.merge(undefined, document, new Set()))).not.toContain(secret);
});

test("a file of ours goes when our name was the last, and stays with what somebody added", () => {
  for (const path of ["/out/a/serviceaccount-default.yaml", "/out/a/kustomization.yaml"]) {
    const document = documentAt(path);
    const made = kubernetes.merge(undefined, document, new Set());
    expect(kubernetes.merge(made.content, document, ownedBy(made)).content).toBe(made.content);
    expect(textOf(kubernetes.merge(made.content, emptied(document), ownedBy(made)))).toBeUndefined();
    const more = `${textOf(made)}namePrefix: x-\n`;
    const left = textOf(kubernetes.merge(Buffer.from(more), emptied(document), ownedBy(made)));
    expect(left).toContain("namePrefix: x-");
    expect(left).not.toContain("regcred");
  }
});

test("somebody's ServiceAccount keeps its list, its comments and every byte but our line", () => {
  const theirs =
    "apiVersion: v1\nkind: ServiceAccount\nimagePullSecrets: # see the wiki\n- name: site # first\nmetadata:\n  name: default\n";
  const document = documentAt("/out/a/serviceaccount-default.yaml");
  const merged = kubernetes.merge(Buffer.from(theirs), document, new Set());
  expect(textOf(merged)).toBe(theirs.replace("# first\n", "# first\n- name: regcred\n"));
  expect(textOf(kubernetes.merge(merged.content, emptied(document), ownedBy(merged)))).toBe(theirs);
});

test("a Secret of another name takes the old name out of the lists", () => {
  const before = kubernetes.merge(undefined, documentAt("/out/a/serviceaccount-default.yaml"), new Set());
  const renamed = documentAt("/out/a/serviceaccount-default.yaml", { name: "pull" });
  const after = kubernetes.merge(before.content, renamed, ownedBy(before));
  expect(after.changes.map(({ key, action }) => `${action} ${key}`)).toEqual([
    "add imagePullSecrets/pull",
    "remove imagePullSecrets/regcred",
  ]);
  expect(textOf(after)).not.toContain("regcred");
});

test("a kustomization without a kind is one, and gets our files", () => {
  const theirs = "resources:\n- app.yaml\n";
  expect(
    textOf(kubernetes.merge(Buffer.from(theirs), documentAt("/out/a/kustomization.yaml"), new Set())),
  ).toBe(
    "resources:\n- app.yaml\n- regcred.yaml\n- serviceaccount-default.yaml\n- serviceaccount-builder.yaml\n",
  );
});

test.each([
  ["another kind", "kind: ConfigMap\nmetadata: {name: default}\n"],
  ["no YAML", "kind: [ServiceAccount\n"],
  ["two objects", "kind: ServiceAccount\n---\nkind: ServiceAccount\n"],
  ["a list that is none", "kind: ServiceAccount\nimagePullSecrets: regcred\n"],
])("a file with %s is left alone", (_name, text) => {
  let caught: unknown;
  try {
    kubernetes.merge(Buffer.from(text), documentAt("/out/a/serviceaccount-default.yaml"), new Set());
  } catch (fault) {
    caught = fault;
  }
  expect(isAppError(caught, "FILE_INVALID")).toBe(true);
});

test.each([
  ["a ServiceAccount that is no name", { "service-accounts": ["A"] }],
  ["a ServiceAccount that is a number", { "service-accounts": 3 }],
  ["a Secret with the file of a ServiceAccount", { name: "serviceaccount-default" }],
  ["a Secret with the file of the kustomization", { name: "kustomization" }],
])("refused: %s", (_name, over) => {
  const target: Target = { home: "/out", user: "u", uid: 1000, env: {}, options: { ...options, ...over } };
  const { documents, refusals } = kubernetes.compile([login], target);
  expect(documents).toEqual([]);
  expect(refusals.map((refusal) => refusal.login)).toEqual(["hub"]);
});
