import { mergeAuthFile } from "../auth-file.ts";
import type { Compiled, ConsumerLogin, FileDocument, Merged, Target } from "../contract.ts";
import { refuseForm, refuseTwins } from "../coverage.ts";
import { pullEntries } from "../kubernetes/keys.ts";
import { createKubeletRules } from "../kubernetes/kubelet-rules.ts";
import { personalLogins } from "../personal-login.ts";
import { compileCertificates } from "../whole-file.ts";
import { nodeFilePath } from "./paths.ts";

const nodeFileRules = createKubeletRules("so the kubelet passes over the whole file in silence");

/** The keys are those of a pull secret: the same keyring reads both. */
export function compileKubelet(logins: readonly ConsumerLogin[], target: Target): Compiled {
  const formed = refuseForm(logins, { consumer: "kubelet", identityTokens: false });
  const placed = refuseTwins(formed.kept);
  const { entries, warnings } = pullEntries(placed.kept);
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
