import type { Consumer } from "../contract.ts";
import { mergeEnroot } from "./merge.ts";
import { matchEnroot } from "./reader.ts";
import { compileEnroot, enrootFile } from "./writer.ts";

/** Enroot, alone and under Slurm's Pyxis. */
export const enroot: Consumer = {
  name: "enroot",
  summary: "the .credentials file of Enroot and Pyxis, for registry host and token host",
  abilities: {
    scope: "registry",
    identityTokens: false,
    severalPerHost: false,
    takesEffect: { when: "now" },
    proof:
      "the real curl with the file as its netrc and a token host of its own; Enroot's own steps from its source, golden files",
  },
  compile: compileEnroot,
  merge: mergeEnroot,
  files: (target) => [enrootFile(target)],
  match: matchEnroot,
};
