import type { AuthFileRules } from "../auth-file.ts";
import type { Warning } from "../contract.ts";
import { inspectKeys } from "./inspect-keys.ts";
import { fatalEntries } from "./keyring.ts";

/** What is to be said of a config.json that the kubelet reads; `sequel` is what comes of an entry that it cannot decode. */
export function createKubeletRules(sequel: string): AuthFileRules {
  return {
    inspect: (root, document) => [
      ...fatalEntries(root).map(
        (key): Warning => ({
          kind: "danger",
          message: `${document.path}: the entry ${key} cannot be decoded, ${sequel}`,
          hint: "remove that entry",
        }),
      ),
      ...inspectKeys(root, document),
    ],
  };
}

/** Of a Secret, whether it lies in a manifest or in a cluster. */
export const kubeletRules = createKubeletRules("which fails every pull of a pod with this Secret");
