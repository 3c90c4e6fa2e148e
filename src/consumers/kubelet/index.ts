import type { Consumer } from "../contract.ts";
import { nodeFiles } from "./paths.ts";
import { matchKubelet } from "./reader.ts";
import { compileKubelet, mergeKubelet } from "./writer.ts";

/** The kubelet's own file on a node: for every pod there, of any namespace. */
export const kubelet: Consumer = {
  name: "kubelet",
  summary: "the kubelet's config.json on a node, for every pod there and for static pods",
  abilities: {
    scope: "path",
    identityTokens: false,
    severalPerHost: true,
    takesEffect: { when: "after", seconds: 300 },
    proof:
      "a real kubelet 1.36.3 uses what we write; our reader is held against its keyring code over 1,500 made-up files in every run; the search over several files was compared once, what differed is pinned by tests; golden files",
  },
  compile: compileKubelet,
  merge: mergeKubelet,
  files: (target) => nodeFiles(target).map((file) => file.path),
  match: matchKubelet,
};
