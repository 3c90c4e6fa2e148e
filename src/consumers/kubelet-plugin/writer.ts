import { Secret } from "#core";
import type {
  Compiled,
  ConsumerLogin,
  EntryChange,
  FileDocument,
  Merged,
  Target,
  Warning,
} from "../contract.ts";
import { refuseForm, scopeOf } from "../coverage.ts";
import { personalLogins } from "../personal-login.ts";
import { compilePodman, mergePodman } from "../podman/writer.ts";
import { isProgram, mergeProgram, programDocuments } from "../program-document.ts";
import { compileCertificates } from "../whole-file.ts";
import { readYamlText } from "../yaml-edit.ts";
import { appendItem, cutItem } from "../yaml-sequence.ts";
import { LOGINS_FILE, LOGINS_VARIABLE, PROVIDER, providerConfigPath } from "./paths.ts";
import { invalid, parseProviderConfig } from "./provider-config.ts";

/**
 * Two files: the logins, for our plugin alone, with paths by whole segments; and in the site's CredentialProviderConfig an entry that makes
 * the kubelet ask it. The second has no secret in it.
 */
export function compileKubeletPlugin(logins: readonly ConsumerLogin[], target: Target): Compiled {
  const formed = refuseForm(logins, { consumer: "kubelet", identityTokens: false });
  const placed = compilePodman(formed.kept.map(withoutCa), {
    ...target,
    env: {},
    options: { file: LOGINS_FILE },
  });
  const kept = formed.kept.filter(({ name }) => !placed.refusals.some(({ login }) => login === name));
  const certificates = compileCertificates(kept, target, {
    consumer: "the node's container runtime",
    path: () => undefined,
    hint: () =>
      "deliver the login to the runtime too (to: containerd, crio, k3s or rke2): its CA goes with it",
  });
  const config: FileDocument = {
    kind: "file",
    path: providerConfigPath(target),
    mode: 0o644,
    folderMode: 0o755,
    entries: kept.map((login) => ({
      key: scopeOf(login),
      login: login.name,
      content: new Secret(scopeOf(login)),
    })),
  };
  return {
    documents: kept.length === 0 ? [] : [...programDocuments(PROVIDER, target), ...placed.documents, config],
    refusals: [...formed.refusals, ...placed.refusals],
    warnings: [...placed.warnings, ...personalLogins(kept, target), ...certificates.warnings],
  };
}

/** Our provider's `matchImages` alone is edited; other providers, comments and what somebody set in ours stay byte for byte. */
export function mergeKubeletPlugin(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  const { path } = document;
  if (isProgram(document)) return mergeProgram(current, document, owned);
  if (path === LOGINS_FILE) return mergePodman(current, document, owned);
  const wanted = document.entries.map(({ key }) => key);
  const before = current === undefined ? "" : readYamlText(current, path);
  const isNew = before.trim() === "";
  if (isNew && wanted.length === 0) return { content: current, changes: [], warnings: [], refusals: [] };
  const there = isNew ? [] : imagesOf(before, path);
  const gone = there.filter((pattern) => owned.has(pattern) && !wanted.includes(pattern));
  const changes = [
    ...document.entries.map(({ key, login }): EntryChange => {
      return { key, login, action: there.includes(key) ? "keep" : "add" };
    }),
    ...gone.map((key): EntryChange => ({ key, login: undefined, action: "remove" })),
  ];
  const after = [...there.filter((pattern) => !gone.includes(pattern)), ...missing(wanted, there)];
  const text = isNew ? renderConfig(after) : withImages(before, after, path);
  const isChanged = text !== before;
  return {
    content: text === undefined ? undefined : isChanged ? new TextEncoder().encode(text) : current,
    changes,
    warnings: text === undefined ? [lastOne(path)] : warningsOf(text, document, there.length === 0),
    refusals: [],
  };
}

/** The plugin speaks to no registry. */
function withoutCa(login: ConsumerLogin): ConsumerLogin {
  const copy: { -readonly [Key in keyof ConsumerLogin]: ConsumerLogin[Key] } = { ...login };
  delete copy.ca;
  return copy;
}

function missing(wanted: readonly string[], there: readonly string[]): readonly string[] {
  return wanted.filter((pattern) => !there.includes(pattern));
}

function imagesOf(text: string, file: string): readonly string[] {
  const { providers } = parseProviderConfig(text, file);
  return providers.find(({ name }) => name === PROVIDER)?.matchImages ?? [];
}

/** The text with these patterns for our provider, and without the provider where there are none; undefined where it was the only one. */
function withImages(text: string, images: readonly string[], file: string): string | undefined {
  let edited = text;
  const { providers, list } = parseProviderConfig(text, file);
  const index = providers.findIndex(({ name }) => name === PROVIDER);
  const others = providers.filter((_, at) => at !== index).map(({ node }) => node.toJSON() as unknown);
  const ours: unknown = providers[index]?.node.toJSON();
  if (images.length === 0) {
    if (list === undefined || index < 0) return text;
    if (others.length === 0) return undefined;
    return checked(cutItem(text, list, index), others, file);
  }
  if (index < 0) {
    const item = { block: blockOf(images), flow: JSON.stringify(providerOf(images)) };
    if (list === undefined) throw invalid(file, "it has no list of providers");
    return checked(appendItem(text, list, item), [...others, providerOf(images)], file);
  }
  // First what comes: a list that had none left would not be a list any more.
  for (const pattern of missing(images, imagesOf(edited, file))) {
    const { images: node } = ourProvider(edited, file);
    if (node === undefined) throw invalid(file, `${PROVIDER} has no matchImages`);
    edited = appendItem(edited, node, { block: [JSON.stringify(pattern)], flow: JSON.stringify(pattern) });
  }
  for (const pattern of missing(imagesOf(edited, file), images)) {
    const { images: node, matchImages } = ourProvider(edited, file);
    if (node !== undefined) edited = cutItem(edited, node, matchImages.indexOf(pattern));
  }
  const expected = [...others];
  expected.splice(index, 0, { ...(ours as object), matchImages: images });
  return checked(edited, expected, file);
}

function ourProvider(
  text: string,
  file: string,
): ReturnType<typeof parseProviderConfig>["providers"][number] {
  const found = parseProviderConfig(text, file).providers.find(({ name }) => name === PROVIDER);
  if (found === undefined) throw unserved(file);
  return found;
}

/** Does the edited text say what it was to say: else the spot is written in a form that text edits do not serve. */
function checked(text: string, providers: readonly unknown[], file: string): string {
  let found: readonly unknown[];
  try {
    found = parseProviderConfig(text, file).providers.map(({ node }) => node.toJSON() as unknown);
  } catch {
    throw unserved(file);
  }
  if (JSON.stringify(found) !== JSON.stringify(providers)) throw unserved(file);
  return text;
}

function unserved(file: string): Error {
  return invalid(file, "it is written in a form that wharf does not edit");
}

interface NewProvider {
  readonly name: string;
  readonly apiVersion: string;
  readonly matchImages: readonly string[];
  readonly defaultCacheDuration: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

function providerOf(images: readonly string[]): NewProvider {
  return {
    name: PROVIDER,
    apiVersion: "credentialprovider.kubelet.k8s.io/v1",
    matchImages: images,
    // The program says itself how long an answer may be kept; the kubelet wants a default all the same.
    defaultCacheDuration: "5m0s",
    env: [{ name: LOGINS_VARIABLE, value: LOGINS_FILE }],
  };
}

function blockOf(images: readonly string[]): readonly string[] {
  const { name, apiVersion, defaultCacheDuration, env } = providerOf(images);
  return [
    `name: ${name}`,
    `apiVersion: ${apiVersion}`,
    "matchImages:",
    ...images.map((pattern) => `  - ${JSON.stringify(pattern)}`),
    `defaultCacheDuration: ${defaultCacheDuration}`,
    "env:",
    ...env.map((one) => `  - { name: ${one.name}, value: ${one.value} }`),
  ];
}

function renderConfig(images: readonly string[]): string {
  const lines = blockOf(images).map((line, index) => `  ${index === 0 ? "- " : "  "}${line}`);
  return `apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n${lines.join("\n")}\n`;
}

function warningsOf(text: string, document: FileDocument, isFirst: boolean): readonly Warning[] {
  if (document.entries.length === 0) return [];
  const { path } = document;
  const warnings: Warning[] = [];
  if (isFirst)
    warnings.push({
      kind: "danger",
      message: `the kubelet needs --image-credential-provider-config=${path} and --image-credential-provider-bin-dir=DIR, and does not start where DIR has no ${PROVIDER}`,
      hint: `bin-dir: DIR in its delivery puts it there; or, before the restart: ln -s "$(command -v wharf)" DIR/${PROVIDER}`,
    });
  const env: unknown = ourProvider(text, path).node.toJSON();
  if (!JSON.stringify(env).includes(`{"name":"${LOGINS_VARIABLE}","value":"${LOGINS_FILE}"}`))
    warnings.push({
      kind: "danger",
      message: `${path}: ${PROVIDER} is not told of ${LOGINS_FILE}, so it gives the logins of a wharf.yaml instead`,
      hint: `add to its env: { name: ${LOGINS_VARIABLE}, value: ${LOGINS_FILE} }`,
    });
  return warnings;
}

function lastOne(path: string): Warning {
  return {
    kind: "danger",
    message: `${path} had no other provider and goes away: the kubelet does not start while a flag names it`,
    hint: "take --image-credential-provider-config from the kubelet's flags before its next restart",
  };
}
