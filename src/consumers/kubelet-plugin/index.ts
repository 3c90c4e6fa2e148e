import type { Consumer } from "../contract.ts";
import { LOGINS_FILE, providerConfigPath } from "./paths.ts";
import { matchKubeletPlugin } from "./reader.ts";
import { compileKubeletPlugin, mergeKubeletPlugin } from "./writer.ts";

/** The kubelet's credential-provider plugin: an entry in the site's configuration, and the logins that `wharf-kubelet-provider` gives. */
export const kubeletPlugin: Consumer = {
  name: "kubelet-plugin",
  summary: "the kubelet's credential provider on a node: wharf-kubelet-provider, its entry and its logins",
  abilities: {
    scope: "path",
    identityTokens: false,
    severalPerHost: true,
    takesEffect: {
      when: "on restart",
      of: "kubelet (new matchImages)",
      units: ["kubelet.service"],
      // The program reads its logins whenever it is asked.
      files: [".yaml", ".yml"],
    },
    proof: "a real kubelet 1.36.3 starts the program and pulls with each login for its images; golden files",
  },
  compile: compileKubeletPlugin,
  merge: mergeKubeletPlugin,
  files: (target) => [providerConfigPath(target), LOGINS_FILE],
  match: matchKubeletPlugin,
};
