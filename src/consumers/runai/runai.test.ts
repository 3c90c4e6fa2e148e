import { expect, test } from "bun:test";
import { parse } from "yaml";
import { Secret } from "#core";
import type { Compiled, ConsumerLogin, Target } from "../contract.ts";
import { runai } from "./index.ts";

const login: ConsumerLogin = {
  name: "ngc",
  registry: "nvcr.io",
  path: undefined,
  username: "$oauthtoken",
  secret: new Secret("word"),
};

function targetOf(options: Readonly<Record<string, unknown>>): Target {
  return { home: "/out", user: "u", uid: 1000, env: {}, options };
}

const compile = (options: Readonly<Record<string, unknown>>): Compiled =>
  runai.compile([login], targetOf(options));

/** Each document's path, with its labels. */
function written(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    compile(options).documents.map((document) => {
      const { content } = runai.merge(undefined, document, new Set());
      const { kind, metadata, imagePullSecrets } = parse(Buffer.from(content ?? "").toString()) as {
        kind: string;
        metadata: { namespace: string; labels?: Record<string, string> };
        imagePullSecrets?: unknown;
      };
      const { "app.kubernetes.io/managed-by": _, ...labels } = metadata.labels ?? {};
      return [
        document.path,
        { in: metadata.namespace, ...(kind === "Secret" ? labels : { imagePullSecrets }) },
      ];
    }),
  );
}

// Reference: consumers, 4.4.
test("cluster: in Run:ai's own namespace, with the labels of its newer versions", () => {
  expect(written({ scope: "cluster", name: "site" })).toEqual({
    "/out/runai/site.yaml": {
      in: "runai",
      "run.ai/resource": "docker-registry",
      "run.ai/cluster-wide-credentials": "true",
      "run.ai/cluster-wide": "true",
    },
  });
});

test("cluster, old: the one label of the first versions, and a word that newer ones do not see it", () => {
  expect(written({ scope: "cluster", labels: "old" })).toEqual({
    "/out/runai/regcred.yaml": { in: "runai", "runai/cluster-wide": "true" },
  });
  const said = compile({ scope: "cluster", labels: "old" }).warnings.map(({ message }) => message);
  expect(said.some((text) => text.includes("clusterWideSecret"))).toBe(true);
  expect(said.some((text) => text.includes("runai/cluster-wide is the label"))).toBe(true);
});

test("a label's value is text in the file, never YAML's true", () => {
  const [document] = compile({ scope: "cluster" }).documents;
  expect(document?.body).toContain('run.ai/cluster-wide: "true"');
  expect(compile({ scope: "department", department: 4500001 }).documents[0]?.body).toContain('"4500001"');
});

test("department: by its id, a number too", () => {
  expect(written({ scope: "department", department: 4500001 })).toEqual({
    "/out/runai/regcred.yaml": {
      in: "runai",
      "run.ai/resource": "docker-registry",
      "run.ai/department": "4500001",
    },
  });
});

test("project: in each project's namespace, and named by its ServiceAccount", () => {
  expect(written({ scope: "project", projects: ["a"], namespaces: ["nlp"], name: "r" })).toEqual({
    "/out/runai-a/r.yaml": { in: "runai-a", "run.ai/credentials": "true" },
    "/out/runai-a/serviceaccount-default.yaml": { in: "runai-a", imagePullSecrets: [{ name: "r" }] },
    "/out/nlp/r.yaml": { in: "nlp", "run.ai/credentials": "true" },
    "/out/nlp/serviceaccount-default.yaml": { in: "nlp", imagePullSecrets: [{ name: "r" }] },
  });
  expect(written({ scope: "project", project: "a", labels: "old", "service-accounts": [] })).toEqual({
    "/out/runai-a/regcred.yaml": { in: "runai-a" },
  });
});

test("all projects: asked of a cluster by Run:ai's own label, and refused where there is none to ask", () => {
  const options = { scope: "project", projects: "all" };
  expect(runai.inCluster?.(options).options["namespaces"]).toEqual({ selector: "runai/queue" });
  const found = runai.compile([login], { ...targetOf(options), namespaces: ["nlp"] });
  expect(found.documents.map(({ path }) => path)).toEqual([
    "/namespaces/nlp/secrets/regcred",
    "/namespaces/nlp/serviceaccounts/default",
  ]);
  expect(compile(options).refusals[0]?.hint).toContain("k8s://CONTEXT");
});

test.each([
  ["all projects and more", { scope: "project", projects: "all", namespaces: ["a"] }],
  ["no scope", {}],
  ["another scope", { scope: "site" }],
  ["no project", { scope: "project" }],
  ["a project that is no name", { scope: "project", projects: ["A b"] }],
  ["projects that are no list", { scope: "project", projects: "a" }],
  ["no department", { scope: "department" }],
  ["a department of another form", { scope: "department", department: "-x" }],
  ["departments by old labels", { scope: "department", department: "1", labels: "old" }],
  ["labels of no generation", { scope: "cluster", labels: "newest" }],
  ["projects of a cluster", { scope: "cluster", projects: ["a"] }],
  ["a department of a project", { scope: "project", project: "a", department: "1" }],
])("refused, with what to write instead: %s", (_name, options) => {
  const { documents, refusals } = compile(options);
  expect(documents).toEqual([]);
  expect(refusals).toHaveLength(1);
  expect(refusals[0]?.hint).toBeString();
  expect(runai.files(targetOf(options))).toEqual([]);
});

test("a file that is there gets the labels that it lacks, and keeps its own", () => {
  const [document] = compile({ scope: "cluster" }).documents;
  if (document === undefined) throw new Error("no document");
  const before =
    "kind: Secret\napiVersion: v1\nmetadata:\n  name: regcred\n  namespace: runai\n  labels:\n    team: x # theirs\n    run.ai/cluster-wide: 'false'\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: e30=\n";
  const once = runai.merge(Buffer.from(before), document, new Set());
  const labels = (
    parse(Buffer.from(once.content ?? "").toString()) as { metadata: { labels: Record<string, string> } }
  ).metadata.labels;
  expect(labels).toMatchObject({
    team: "x",
    "run.ai/cluster-wide": "true",
    "run.ai/resource": "docker-registry",
  });
  expect(Buffer.from(once.content ?? "").toString()).toContain("team: x # theirs");
  expect(runai.merge(once.content, document, new Set(["nvcr.io"])).content).toBe(once.content);
});
