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
      "Apptainer is not to be had as a package; the reader of a file is held to what Apptainer's is made after, docker/cli under the keychain of go-containerregistry 0.22.1; which file it reads, from source; golden files",
  },
  compile: compileApptainer,
  merge: mergeApptainer,
  files: (target) => {
    const fallback = fallbackFile(target);
    return fallback === undefined ? [apptainerFile(target)] : [apptainerFile(target), fallback];
  },
  match: matchApptainer,
};
