import { renderEntry } from "../auth-entry.ts";
import { type AuthFileRules, mergeAuthFile } from "../auth-file.ts";
import type { Compiled, ConsumerLogin, Entry, FileDocument, Merged, Target, Warning } from "../contract.ts";
import { refuseForm, refuseTwins } from "../coverage.ts";
import { inspectKeys } from "../kubernetes/inspect-keys.ts";
import { fatalEntries } from "../kubernetes/keyring.ts";
import { pullKeys } from "../kubernetes/keys.ts";
import { personalLogins } from "../personal-login.ts";
import { compileCertificates } from "../whole-file.ts";
import { nodeFilePath } from "./paths.ts";

/** The keys are those of a pull secret: the same keyring reads both. */
export function compileKubelet(logins: readonly ConsumerLogin[], target: Target): Compiled {
  const formed = refuseForm(logins, { consumer: "kubelet", identityTokens: false });
  const placed = refuseTwins(formed.kept);
  const entries: Entry[] = [];
  const warnings: Warning[] = [];
  for (const login of placed.kept) {
    const found = pullKeys(login, placed.kept);
    warnings.push(...found.warnings);
    for (const key of found.keys) entries.push({ key, login: login.name, content: renderEntry(login) });
  }
  const certificates = compileCertificates(placed.kept, target, {
    consumer: "the node's container runtime",
    path: () => undefined,
    hint: () =>
      "deliver the login to the runtime too (to: containerd, crio, k3s or rke2): its CA goes with it",
  });
  const file: FileDocument = {
    kind: "file",
    path: nodeFilePath(target),
    mode: 0o600,
    folderMode: 0o755,
    entries,
  };
  return {
    documents: entries.length === 0 ? [] : [file],
    refusals: [...formed.refusals, ...placed.refusals],
    warnings: [...warnings, ...personalLogins(placed.kept, target), ...certificates.warnings],
  };
}

export function mergeKubelet(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  return mergeAuthFile(current, document, owned, nodeFileRules);
}

const nodeFileRules: AuthFileRules = {
  inspect: (root, document) => [
    ...fatalEntries(root).map(
      (key): Warning => ({
        kind: "danger",
        message: `${document.path}: the entry ${key} cannot be decoded, so the kubelet passes over the whole file in silence`,
        hint: "remove that entry",
      }),
    ),
    ...inspectKeys(root, document),
  ],
};
