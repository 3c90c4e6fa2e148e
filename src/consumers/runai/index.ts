import type { Consumer } from "../contract.ts";
import { mergeKubernetes } from "../kubernetes/writer.ts";
import { compileRunai, matchRunai, runaiFiles, runaiInCluster } from "./writer.ts";

/** Run:ai: a labelled pull secret for the cluster or a department, or one in each project's namespace. */
export const runai: Consumer = {
  name: "runai",
  summary: "Run:ai's pull secrets: for the cluster, a department, or projects by their ServiceAccounts",
  abilities: {
    scope: "path",
    identityTokens: false,
    severalPerHost: true,
    takesEffect: { when: "after", seconds: 60 },
    readsApart: true,
    proof:
      "a real API server takes the Secrets, the labels and the ServiceAccount's list; Run:ai itself cannot be had: what it does with them is from its manuals; golden files",
  },
  compile: compileRunai,
  merge: mergeKubernetes,
  files: runaiFiles,
  match: matchRunai,
  inCluster: runaiInCluster,
};
