import type { Consumer } from "../contract.ts";
import { crioFiles } from "./paths.ts";
import { matchCrio } from "./reader.ts";
import { compileCrio, mergeCrio } from "./writer.ts";

/** CRI-O on a node: an auth file of ours, and a drop-in that names it. */
export const crio: Consumer = {
  name: "crio",
  summary: "CRI-O's global_auth_file on a node, named by a drop-in, with the CA",
  abilities: {
    scope: "path",
    identityTokens: true,
    severalPerHost: true,
    takesEffect: {
      when: "on restart",
      of: "crio (the first time)",
      units: ["crio.service"],
      // The auth file is read again at every pull.
      files: ["/crio.conf.d/99-wharf-auth.conf"],
    },
    proof:
      "its auth file is read by the library of Podman, to which Podman's reader is held (go.podman.io/image 5.42.0); crio.conf and drop-in from CRI-O's source; golden files",
  },
  compile: compileCrio,
  merge: mergeCrio,
  files: crioFiles,
  match: matchCrio,
};
