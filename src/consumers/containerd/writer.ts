import { Secret } from "#core";
import { renderAuth } from "../auth-entry.ts";
import type { Compiled, ConsumerLogin, Entry, FileDocument, Merged, Target, Warning } from "../contract.ts";
import { onePerHost, refuseForm } from "../coverage.ts";
import { personalLogins } from "../personal-login.ts";
import { readTomlText } from "../toml-text.ts";
import { compileCertificates, isCertificate, mergeWholeFile } from "../whole-file.ts";
import { createEdit, type Wanted } from "./config-edit.ts";
import { hostsDocument, isHostsFile, mergeHosts } from "./hosts-toml.ts";
import { inspectConfig } from "./inspect.ts";
import { certificatePath, writtenFile } from "./paths.ts";
import { HUB_HOST } from "./reader.ts";

/** Where containerd's own plan (2.4.2) ends registry.configs; it was put off before. */
const ENDS = { major: 2, minor: 7 };
const HEADER = "# Written by wharf.\n";

export function compileContainerd(logins: readonly ConsumerLogin[], target: Target): Compiled {
  const formed = refuseForm(logins, { consumer: "containerd", identityTokens: true });
  const placed = onePerHost(
    formed.kept,
    "containerd",
    "or as a pull secret (to: kubernetes), which knows paths",
  );
  const entries = placed.kept.map(entryOf);
  const certificates = compileCertificates(placed.kept, target, {
    consumer: "containerd",
    path: certificatePath,
    hint: () => "",
  });
  const hosts = placed.kept
    .filter(({ ca }) => ca !== undefined)
    .map(({ registry }) => hostsDocument(registry));
  const [major = 0, minor = 0] = (target.version ?? "").split(".").map(Number);
  const file: FileDocument = {
    kind: "file",
    path: writtenFile(target),
    mode: 0o600,
    folderMode: 0o755,
    entries,
    body: `${HEADER}version = ${major >= 2 ? 3 : 2}\n`,
  };
  const isEnded = major > ENDS.major || (major === ENDS.major && minor >= ENDS.minor);
  const ended: Warning = {
    kind: "danger",
    message: `containerd ${target.version ?? ""} may not read logins from its configuration any more: 2.4 announced that for ${ENDS.major}.${ENDS.minor}`,
    hint: "deliver to kubelet, or as a pull secret (to: kubernetes)",
  };
  return {
    documents: [...(entries.length === 0 ? [] : [file]), ...certificates.documents, ...hosts],
    refusals: [...formed.refusals, ...placed.refusals],
    warnings: [
      ...placed.warnings,
      ...personalLogins(placed.kept, target),
      ...certificates.warnings,
      ...(isEnded && entries.length > 0 ? [ended] : []),
    ],
  };
}

/** Only `auth`, and `tls.ca_file` where nothing else names the CA, of our hosts change; every other byte stays. */
export function mergeContainerd(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  if (isCertificate(document)) return mergeWholeFile(current, document, owned);
  if (isHostsFile(document.path)) return mergeHosts(current, document, owned);
  const before = current === undefined ? undefined : readTomlText(current, document.path);
  if (before === undefined && document.entries.length === 0)
    return { content: undefined, changes: [], warnings: [], refusals: [] };
  const edit = createEdit(before ?? document.body ?? "", document.path);
  for (const entry of document.entries) edit.put(entry, owned);
  const wanted = new Set(document.entries.map((entry) => entry.key));
  for (const key of owned) if (!wanted.has(key)) edit.drop(key);
  const { text, changes, warnings, refusals } = edit.result();
  const isGone =
    changes.some(({ action }) => action === "remove") &&
    (text.trim() === "" || new RegExp(`^${HEADER}version = \\d\\n$`).test(text));
  const isSame = text === before || (before === undefined && changes.length === 0);
  const content = isGone ? undefined : isSame ? current : new TextEncoder().encode(text);
  const found = document.entries.length === 0 ? [] : inspectConfig(text, document);
  return { content, changes, warnings: [...warnings, ...found], refusals };
}

/** Hub under the host that is contacted. */
function entryOf(login: ConsumerLogin): Entry {
  const secret = login.secret.reveal();
  // Beside an identity token `auth` names the user; a username of its own would make containerd pass the token over.
  const auth =
    login.identityToken === true
      ? { auth: renderAuth(login.username, ""), identitytoken: secret }
      : { auth: renderAuth(login.username, secret) };
  const caFile = login.ca === undefined ? {} : { caFile: certificatePath(login.registry) };
  return {
    key: login.registry === "docker.io" ? HUB_HOST : login.registry,
    login: login.name,
    content: new Secret(JSON.stringify({ auth, ...caFile } satisfies Wanted)),
  };
}
