import type { Compiled, ConsumerLogin, FileDocument, Merged, Target } from "../contract.ts";
import { personalLogins } from "../personal-login.ts";
import { compilePodman, mergePodman } from "../podman/writer.ts";
import { mergeWholeFile } from "../whole-file.ts";
import { authFile, DROP_IN, namedFile, rootTarget } from "./paths.ts";

/** Podman's file under CRI-O's name; without `file:` a drop-in names it, so that crio.conf stays byte for byte. */
export function compileCrio(logins: readonly ConsumerLogin[], target: Target): Compiled {
  const compiled = compilePodman(logins, { ...rootTarget(), options: { file: authFile(target) } });
  const hasEntries = compiled.documents.some((document) => document.entries.length > 0);
  const dropIn: FileDocument = {
    kind: "file",
    path: DROP_IN,
    mode: 0o644,
    folderMode: 0o755,
    entries: [],
    body: `# Written by wharf; restart crio once after it came.\n[crio.image]\nglobal_auth_file = "${authFile(target)}"\n`,
  };
  return {
    documents: [...compiled.documents, ...(hasEntries && namedFile(target) === undefined ? [dropIn] : [])],
    refusals: compiled.refusals,
    warnings: [...compiled.warnings, ...personalLogins(logins, target)],
  };
}

export function mergeCrio(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  if (document.path === DROP_IN) return mergeWholeFile(current, document, owned);
  return mergePodman(current, document, owned);
}
