import type { Consumer } from "../contract.ts";
import { matchKubernetes } from "./reader.ts";
import { secretFiles } from "./secret-files.ts";
import { compileKubernetes, mergeKubernetes } from "./writer.ts";

export {
  type Injected,
  type InjectedPod,
  injectPullSecrets,
  type PodOwner,
} from "./inject-pull-secret.ts";
export { isSubdomain as isSecretName } from "./secret-files.ts";

/** A pull secret: in the namespaces of a cluster, or as YAML for `kubectl apply --server-side -f`. */
export const kubernetes: Consumer = {
  name: "kubernetes",
  summary: "a Secret of type kubernetes.io/dockerconfigjson in each namespace of a cluster, or as YAML",
  abilities: {
    scope: "path",
    identityTokens: false,
    severalPerHost: true,
    takesEffect: { when: "now" },
    readsApart: true,
    proof:
      "a real kube-apiserver and a real kubelet 1.36.3 use what we write; our reader is held against the kubelet's own keyring over 1,500 made-up Secrets in every run; golden files",
  },
  compile: compileKubernetes,
  merge: mergeKubernetes,
  files: (target) => secretFiles(target).map((file) => file.path),
  match: matchKubernetes,
};
