import type { Consumer } from "../contract.ts";
import { podmanPaths } from "./paths.ts";
import { matchPodman } from "./reader.ts";
import { compilePodman, mergePodman } from "./writer.ts";

/** Podman, Buildah, Skopeo, and CRI-O where the delivery names its `file:`. */
export const podman: Consumer = {
  name: "podman",
  summary: "auth.json of Podman, Buildah and Skopeo; with file: also CRI-O's global_auth_file",
  abilities: {
    scope: "path",
    identityTokens: true,
    severalPerHost: true,
    takesEffect: { when: "now" },
    proof:
      "the real skopeo, reader and written files; podman and buildah with delivered logins; the reader is held to go.podman.io/image 5.42.0, their library, over random logins in random files; golden files",
  },
  compile: compilePodman,
  merge: mergePodman,
  files: (target) => podmanPaths(target).map((place) => place.path),
  match: matchPodman,
};
