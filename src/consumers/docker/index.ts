import type { Consumer } from "../contract.ts";
import { matchDocker } from "./reader.ts";
import { compileDocker, dockerFile, mergeDocker } from "./writer.ts";

/** The Docker CLI's config.json, which helm, oras, crane, cosign, nerdctl and kaniko read too. */
export const docker: Consumer = {
  name: "docker",
  summary: "the Docker CLI's config.json, also read by helm, oras, crane, cosign and nerdctl",
  abilities: {
    scope: "registry",
    identityTokens: true,
    severalPerHost: false,
    takesEffect: { when: "now" },
    proof:
      "the real docker CLI, reader and written files; the reader is held to docker/cli 29.9.3, its library, over random logins in random files; golden files",
  },
  compile: compileDocker,
  merge: mergeDocker,
  files: (target) => [dockerFile(target)],
  match: matchDocker,
};
