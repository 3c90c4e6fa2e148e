import type { Consumer } from "../contract.ts";
import { containerdFiles } from "./paths.ts";
import { matchContainerd } from "./reader.ts";
import { compileContainerd, mergeContainerd } from "./writer.ts";

/** containerd on a node, for pods without a login of their own: `registry.configs`, and `hosts.toml` with the CA. */
export const containerd: Consumer = {
  name: "containerd",
  summary: "containerd's config.toml on a node (versions 1 to 4), and hosts.toml with the CA",
  abilities: {
    scope: "registry",
    identityTokens: true,
    severalPerHost: false,
    takesEffect: { when: "on restart", of: "containerd", units: ["containerd.service"] },
    proof:
      "real pulls through CRI with the delivered login and CA, by Debian's containerd 1.6 and by containerd 2.4.2; golden files",
  },
  compile: compileContainerd,
  merge: mergeContainerd,
  files: containerdFiles,
  match: matchContainerd,
};
