import type { Consumer } from "../contract.ts";
import { apptainerFile, fallbackFile } from "./paths.ts";
import { matchApptainer } from "./reader.ts";
import { compileApptainer, mergeApptainer } from "./writer.ts";

/** Apptainer; SingularityCE with `program: singularity` or where its version says so. */
export const apptainer: Consumer = {
  name: "apptainer",
  summary: "docker-config.json of Apptainer, and of SingularityCE with program: singularity",
  abilities: {
    scope: "registry",
    identityTokens: true,
    severalPerHost: false,
    takesEffect: { when: "now" },
    proof:
      "golden files only: Apptainer is not to be had as a package; its parser is docker's library, which is shown by the docker CLI",
  },
  compile: compileApptainer,
  merge: mergeApptainer,
  files: (target) => {
    const fallback = fallbackFile(target);
    return fallback === undefined ? [apptainerFile(target)] : [apptainerFile(target), fallback];
  },
  match: matchApptainer,
};
