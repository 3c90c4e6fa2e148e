import type { Consumer } from "../contract.ts";
import { compileOpensvc, matchOpensvc, mergeOpensvc, opensvcFiles } from "./writer.ts";

/** OpenSVC: root's login on a node, or a sec object of a namespace with the services that use it. */
export const opensvc: Consumer = {
  name: "opensvc",
  summary: "OpenSVC: root's login on a node, or a namespace's sec object and registry_creds in its services",
  abilities: {
    scope: "registry",
    identityTokens: true,
    severalPerHost: false,
    takesEffect: { when: "now" },
    proof:
      "golden only: OpenSVC cannot be installed here; om's words and the files from its source (2.1 and 3), against a stand-in for om. What docker or podman reads is shown at those",
  },
  compile: compileOpensvc,
  merge: mergeOpensvc,
  files: opensvcFiles,
  match: matchOpensvc,
};
