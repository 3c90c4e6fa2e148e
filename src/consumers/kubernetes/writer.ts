import { AppError, parseObjectPath, renderObjectPath } from "#core";
import { renderEntry } from "../auth-entry.ts";
import { mergeAuthFile } from "../auth-file.ts";
import type {
  Compiled,
  ConsumerLogin,
  Entry,
  FileDocument,
  Merged,
  Refusal,
  Target,
  Warning,
} from "../contract.ts";
import { refuseForm, refuseTwins } from "../coverage.ts";
import { compileCertificates } from "../whole-file.ts";
import { pullKeys } from "./keys.ts";
import { kubeletRules } from "./kubelet-rules.ts";
import { mergeSecretObject, renderSecretHead } from "./secret-object.ts";
import { parseSecretYaml, renderHead, renderSecretYaml } from "./secret-yaml.ts";
import { mergeServiceAccount, serviceAccountDocument } from "./service-account.ts";

const DEFAULT_NAME = "regcred";
/** A Secret's values together must be smaller (kubernetes core/v1 MaxSecretSize). */
const MAX_SECRET_BYTES = 1024 * 1024;

/** One Secret that the delivery's options ask for: a file of a folder, or an object of a cluster. */
export interface SecretFile {
  readonly path: string;
  readonly name: string;
  readonly namespace: string | undefined;
}

/**
 * The files: `name:` (regcred), and `namespace:` or `namespaces:` for one Secret each, in a folder of that name. `file:` places the
 * one of a single namespace. In a cluster: the object in each of its namespaces. Throws CONFIG_INVALID for names that Kubernetes does not take.
 */
export function secretFiles(target: Target): readonly SecretFile[] {
  const options = target.options ?? {};
  const name = options["name"] ?? DEFAULT_NAME;
  if (typeof name !== "string" || !isSubdomain(name)) throw badName("name", name);
  if (target.namespaces !== undefined)
    return target.namespaces.map((namespace) => ({
      path: renderObjectPath({ namespace, kind: "secrets", name }),
      name,
      namespace,
    }));
  const listed = options["namespaces"] ?? (options["namespace"] === undefined ? [] : [options["namespace"]]);
  if (!Array.isArray(listed))
    throw new AppError("CONFIG_INVALID", "namespaces: is not a list of names", {
      hint: "list them: namespaces: [team-a, team-b]; `all` and a selector need a cluster to ask: at: k8s://CONTEXT",
    });
  const namespaces = listed.map((item: unknown) => {
    if (typeof item !== "string" || !isLabel(item)) throw badName("namespace", item);
    return item;
  });
  const file = options["file"];
  if (typeof file === "string" && file.startsWith("/") && namespaces.length < 2)
    return [{ path: file, name, namespace: namespaces[0] }];
  if (namespaces.length === 0) return [{ path: `${target.home}/${name}.yaml`, name, namespace: undefined }];
  return namespaces.map((namespace) => ({
    path: `${target.home}/${namespace}/${name}.yaml`,
    name,
    namespace,
  }));
}

export function compileKubernetes(logins: readonly ConsumerLogin[], target: Target): Compiled {
  let files: readonly SecretFile[];
  let accounts: readonly string[];
  try {
    files = secretFiles(target);
    accounts = serviceAccounts(target);
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
  const formed = refuseForm(logins, { consumer: "kubelet", identityTokens: false });
  const placed = refuseTwins(formed.kept);
  const refusals: Refusal[] = [...formed.refusals, ...placed.refusals];
  const entries: Entry[] = [];
  const warnings: Warning[] = [];
  for (const login of placed.kept) {
    const found = pullKeys(login, placed.kept);
    warnings.push(...found.warnings);
    for (const key of found.keys) entries.push({ key, login: login.name, content: renderEntry(login) });
  }
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
  const head = renderSecretHead({}, target.options);
  const documents = files.map(
    ({ path, name, namespace }): FileDocument => ({
      kind: "file",
      path,
      mode: 0o600,
      folderMode: 0o700,
      entries,
      body: inCluster ? head : renderHead(name, namespace),
    }),
  );
  if (!inCluster && accounts.length > 0)
    warnings.push({
      kind: "format",
      message: "service-accounts: is for a cluster (at: k8s://CONTEXT), and is not in these files",
      hint: "name the Secret in imagePullSecrets of your pods; a manifest of a ServiceAccount would replace the whole list",
    });
  return {
    documents: entries.length === 0 ? [] : [...documents, ...(inCluster ? references(files, accounts) : [])],
    refusals,
    warnings: [...warnings, ...certificates.warnings],
  };
}

/** Behind all Secrets, so that nothing refers to a Secret that is not there yet. */
function references(files: readonly SecretFile[], accounts: readonly string[]): readonly FileDocument[] {
  return files.flatMap(({ namespace = "", name }) =>
    accounts.map((account) =>
      serviceAccountDocument(renderObjectPath({ namespace, kind: "serviceaccounts", name: account }), name),
    ),
  );
}

/** `service-accounts:`, one name or a list. Throws CONFIG_INVALID for names that Kubernetes does not take. */
function serviceAccounts(target: Target): readonly string[] {
  const option = target.options?.["service-accounts"] ?? [];
  const listed: readonly unknown[] = Array.isArray(option) ? option : [option];
  return listed.map((item) => {
    if (typeof item !== "string" || !isSubdomain(item)) throw badName("service account", item);
    return item;
  });
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
  const inner: FileDocument = { ...document, path: `${path} (.dockerconfigjson)` };
  if (current === undefined || current.length === 0) {
    if (document.entries.length === 0) return { content: undefined, changes: [], warnings: [], refusals: [] };
    // One line, as kubectl makes it: `{}` would be taken for a file to indent.
    const auths = Object.fromEntries(
      document.entries.map((entry) => [entry.key, JSON.parse(entry.content.reveal()) as unknown]),
    );
    const text = renderSecretYaml(body, Buffer.from(JSON.stringify({ auths })));
    const changes = document.entries.map(({ key, login }) => ({ key, login, action: "add" }) as const);
    return { content: Buffer.from(text), changes, warnings: [], refusals: [] };
  }
  const secret = parseSecretYaml(current, path);
  if (body !== "" && renderHead(secret.name, secret.namespace) !== body) {
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
  if (merged.content === secret.config) return { ...merged, content: current };
  return { ...merged, content: Buffer.from(secret.withConfig(merged.content)) };
}

function badName(option: string, value: unknown): AppError {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : "what stands there";
  return new AppError("CONFIG_INVALID", `${shown} is not a Kubernetes ${option}`, {
    hint: "use lower-case letters, digits and '-', beginning and ending with a letter or digit",
  });
}

function isSubdomain(text: string): boolean {
  return text.length <= 253 && text.split(".").every((part) => isLabel(part));
}

function isLabel(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(text);
}
