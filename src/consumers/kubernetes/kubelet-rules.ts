import type { AuthFileRules } from "../auth-file.ts";
import type { Warning } from "../contract.ts";
import { inspectKeys } from "./inspect-keys.ts";
import { fatalEntries } from "./keyring.ts";

/** What is to be said of a config.json that the kubelet reads, whether it lies in a Secret's manifest or in a cluster. */
export const kubeletRules: AuthFileRules = {
  inspect: (root, document) => [
    ...fatalEntries(root).map(
      (key): Warning => ({
        kind: "danger",
        message: `${document.path}: the entry ${key} cannot be decoded, which fails every pull of a pod with this Secret`,
        hint: "remove that entry",
      }),
    ),
    ...inspectKeys(root, document),
  ],
};
