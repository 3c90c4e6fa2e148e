import { AppError, parseObjectPath, renderObjectPath } from "#core";
import { mergeAuthFile } from "../auth-file.ts";
import type {
  Compiled,
  ConsumerLogin,
  EntryChange,
  FileDocument,
  Merged,
  Refusal,
  Target,
} from "../contract.ts";
import { refuseForm, refuseTwins } from "../coverage.ts";
import { compileCertificates } from "../whole-file.ts";
import { removeYaml, setYaml } from "../yaml-edit.ts";
import { pullEntries } from "./keys.ts";
import { kubeletRules } from "./kubelet-rules.ts";
import { compileReferences, isReference, mergeReference } from "./references.ts";
import { type SecretFile, secretFiles, serviceAccountsOf } from "./secret-files.ts";
import { mergeSecretObject, renderSecretHead } from "./secret-object.ts";
import { parseSecretYaml, readHead, renderHead, renderSecretYaml } from "./secret-yaml.ts";
import { mergeServiceAccount, serviceAccountDocument } from "./service-account.ts";

/** A Secret's values together must be smaller (kubernetes core/v1 MaxSecretSize). */
const MAX_SECRET_BYTES = 1024 * 1024;

/** What a consumer that is made of pull secrets gives them. */
export interface SecretRules {
  /** Labels beside our own. */
  readonly labels?: Readonly<Record<string, string>>;
}

export function compileKubernetes(
  logins: readonly ConsumerLogin[],
  target: Target,
  rules: SecretRules = {},
): Compiled {
  let files: readonly SecretFile[];
  let references: readonly FileDocument[];
  try {
    files = secretFiles(target);
    references =
      target.namespaces === undefined
        ? compileReferences(files, target)
        : objectReferences(files, serviceAccountsOf(target));
  } catch (fault) {
    if (!(fault instanceof AppError)) throw fault;
    const { message, hint } = fault;
    const refusals = logins.map((login) => ({
      login: login.name,
      reason: message,
      ...(hint === undefined ? {} : { hint }),
    }));
    return { documents: [], refusals, warnings: [] };
  }
  if (target.inGit === true && target.options?.["clear"] !== true)
    return {
      documents: [],
      refusals: logins.map((login) => ({
        login: login.name,
        reason:
          "the folder lies in a working tree of git, and in a Secret's manifest the login is as good as in clear",
        hint: "deliver to the cluster itself (at: k8s://CONTEXT), or, where something seals it before a commit, add clear: true",
      })),
      warnings: [],
    };
  const formed = refuseForm(logins, { consumer: "kubelet", identityTokens: false });
  const placed = refuseTwins(formed.kept);
  const refusals: Refusal[] = [...formed.refusals, ...placed.refusals];
  const { entries, warnings } = pullEntries(placed.kept);
  const certificates = compileCertificates(placed.kept, target, {
    consumer: "the nodes' container runtime",
    path: () => undefined,
    hint: (registry) =>
      `put the CA on every node: for containerd into /etc/containerd/certs.d/${registry}/hosts.toml as ca`,
  });
  const size = entries.reduce((sum, entry) => sum + entry.key.length + entry.content.length + 8, 16);
  if (size >= MAX_SECRET_BYTES) {
    const reason = `the logins together are ${size} bytes, and a Secret holds less than ${MAX_SECRET_BYTES}`;
    const hint = "deliver them in several Secrets";
    return {
      documents: [],
      refusals: placed.kept.map((login) => ({ login: login.name, reason, hint })),
      warnings,
    };
  }
  const inCluster = target.namespaces !== undefined;
  const head = renderSecretHead(rules.labels, target.options);
  const documents = files.map(
    ({ path, name, namespace }): FileDocument => ({
      kind: "file",
      path,
      mode: 0o600,
      folderMode: 0o700,
      entries,
      body: inCluster ? head : renderHead(name, namespace, rules.labels),
    }),
  );
  if (entries.length === 0) return { documents: [], refusals, warnings };
  return {
    documents: [...documents, ...references],
    refusals,
    warnings: [...warnings, ...certificates.warnings],
  };
}

/** Behind all Secrets, so that nothing refers to a Secret that is not there yet. */
function objectReferences(
  files: readonly SecretFile[],
  accounts: readonly string[],
): readonly FileDocument[] {
  return files.flatMap(({ namespace = "", name }) =>
    accounts.map((account) =>
      serviceAccountDocument(renderObjectPath({ namespace, kind: "serviceaccounts", name: account }), name),
    ),
  );
}

/**
 * Edits the value alone of a Secret that is there; labels, annotations, comments and other people's entries stay. In a cluster: as
 * `mergeSecretObject` and `mergeServiceAccount` say.
 */
export function mergeKubernetes(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  const { body = "", path } = document;
  const object = parseObjectPath(path);
  if (object?.kind === "secrets") return mergeSecretObject(current, document, owned);
  if (object?.kind === "serviceaccounts") return mergeServiceAccount(current, document, owned);
  if (isReference(document, current)) return mergeReference(current, document, owned);
  const inner: FileDocument = { ...document, path: `${path} (.dockerconfigjson)` };
  if (current === undefined || current.length === 0) {
    if (document.entries.length === 0) return { content: undefined, changes: [], warnings: [], refusals: [] };
    // One line, as kubectl makes it: `{}` would be taken for a file to indent.
    const auths = Object.fromEntries(
      document.entries.map((entry) => [entry.key, JSON.parse(entry.content.reveal()) as unknown]),
    );
    const text = renderSecretYaml(body, Buffer.from(JSON.stringify({ auths })));
    const changes = [
      ...document.entries.map(({ key, login }) => ({ key, login, action: "add" }) as const),
      ...[...readHead(body).labels.keys()].map(
        (label) => ({ key: LABEL + label, login: undefined, action: "add" }) as const,
      ),
    ];
    return { content: Buffer.from(text), changes, warnings: [], refusals: [] };
  }
  const secret = parseSecretYaml(current, path);
  const head = readHead(body);
  if (body !== "" && (head.name !== secret.name || head.namespace !== secret.namespace)) {
    throw new AppError(
      "FILE_INVALID",
      `${path}: it is the Secret ${secret.name}${secret.namespace === undefined ? "" : ` of namespace ${secret.namespace}`}, not the one to be written`,
      {
        hint: "move the file away, or give the delivery that name and namespace",
      },
    );
  }
  const merged = mergeAuthFile(secret.config, inner, owned, kubeletRules);
  if (merged.content === undefined) return { ...merged, content: undefined };
  const text =
    merged.content === secret.config ? new TextDecoder().decode(current) : secret.withConfig(merged.content);
  const wanted = document.entries.length === 0 ? new Map<string, string>() : head.labels;
  const labelled = mergeLabels(text, { path, wanted, present: secret.labels, owned });
  const changes = [...merged.changes, ...labelled.changes];
  const isSame = merged.content === secret.config && labelled.text === text;
  return { ...merged, changes, content: isSame ? current : Buffer.from(labelled.text) };
}

/** Key of a label in changes and in the state. */
const LABEL = "labels/";

/** Labels that the Secret is found by: set where they are missing, and those of ours that are wanted no more taken away. */
function mergeLabels(
  text: string,
  labels: {
    readonly path: string;
    readonly wanted: ReadonlyMap<string, string>;
    readonly present: ReadonlyMap<string, string>;
    readonly owned: ReadonlySet<string>;
  },
): { readonly text: string; readonly changes: readonly EntryChange[] } {
  const { path, wanted, present, owned } = labels;
  const at = (label: string): readonly string[] => ["metadata", "labels", label];
  const changes: EntryChange[] = [];
  let edited = text;
  for (const [label, value] of wanted) {
    const before = present.get(label);
    if (before !== value) edited = setYaml(edited, at(label), value, path);
    const action = before === value ? "keep" : before === undefined ? "add" : "update";
    changes.push({ key: LABEL + label, login: undefined, action });
  }
  for (const key of owned) {
    const label = key.startsWith(LABEL) ? key.slice(LABEL.length) : undefined;
    if (label === undefined || wanted.has(label) || !present.has(label)) continue;
    edited = removeYaml(edited, at(label), path);
    changes.push({ key, login: undefined, action: "remove" });
  }
  return { text: edited, changes };
}
