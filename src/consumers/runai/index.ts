import type { Consumer } from "../contract.ts";
import { mergeKubernetes } from "../kubernetes/writer.ts";
import { compileRunai, matchRunai, runaiFiles } from "./writer.ts";

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
      "golden only: Run:ai itself cannot be had; labels and namespaces from its manuals, the Secrets as for kubernetes",
  },
  compile: compileRunai,
  merge: mergeKubernetes,
  files: runaiFiles,
  match: matchRunai,
};
