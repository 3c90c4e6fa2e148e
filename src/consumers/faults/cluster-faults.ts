import { isAppError, type Secret } from "#core";
import { type JsonObject, parseJsonText } from "../json-text.ts";
import { readKeyring } from "../kubernetes/keyring.ts";
import { CONFIG_KEY } from "../kubernetes/secret-object.ts";
import { SECRET_TYPE } from "../kubernetes/secret-yaml.ts";
import type { Fault } from "./contract.ts";
import { findFaults } from "./find-faults.ts";

/** ServiceAccounts and Secrets of a cluster, by their paths; Secrets as manifests in JSON. */
export interface ExaminedCluster {
  readonly accounts: readonly {
    readonly path: string;
    readonly pullSecrets: readonly { readonly name: string; readonly path: string }[];
  }[];
  readonly secrets: ReadonlyMap<string, string>;
  readonly missing: ReadonlySet<string>;
  readonly now: Date;
}

/** Faults by the path of their object; every object that was looked at is in it. */
export function findClusterFaults(cluster: ExaminedCluster): ReadonlyMap<string, readonly Fault[]> {
  const found = new Map<string, readonly Fault[]>();
  const secrets = new Map([...cluster.secrets].map(([path, text]) => [path, parseSecret(text)]));
  for (const [path, text] of cluster.secrets) {
    const faults = findFaults({ path, bytes: Buffer.from(text), reader: "kubelet", now: cluster.now });
    // An object has no lines, and is written by an apply and not by an edit.
    const own = faults.map(({ line: _line, mend: _mend, ...fault }) => ({ ...fault, line: undefined }));
    found.set(path, [...own, ...placeFaults(secrets.get(path))]);
  }
  for (const account of cluster.accounts)
    found.set(account.path, accountFaults(account, cluster.missing, secrets));
  return found;
}

interface SeenSecret {
  readonly namespace: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
}

function parseSecret(text: string): SeenSecret {
  const {
    metadata,
    type = "",
    data = {},
  } = JSON.parse(text) as Partial<SeenSecret> & {
    readonly metadata: { readonly namespace?: string; readonly labels?: SeenSecret["labels"] };
  };
  return { namespace: metadata.namespace ?? "", type, labels: metadata.labels ?? {}, data };
}

/** Labels with which Run:ai copies a Secret from its own namespace. */
const COPIED = [
  "run.ai/cluster-wide",
  "run.ai/cluster-wide-credentials",
  "runai/cluster-wide",
  "run.ai/department",
];

function placeFaults(secret: SeenSecret | undefined): readonly Fault[] {
  const label = COPIED.find((name) => secret?.labels[name] !== undefined);
  if (secret === undefined || label === undefined || secret.namespace === "runai") return [];
  return [
    faultOf(
      "WD104",
      `${label} in the namespace ${secret.namespace}: Run:ai looks for it in runai alone`,
      "this Secret in the namespace runai",
      "wharf apply",
    ),
  ];
}

function accountFaults(
  account: ExaminedCluster["accounts"][number],
  missing: ReadonlySet<string>,
  secrets: ReadonlyMap<string, SeenSecret>,
): readonly Fault[] {
  const once = new Map(account.pullSecrets.map((one) => [one.path, one]));
  const faults: Fault[] = [];
  const absent = [...once.values()].filter(({ path }) => missing.has(path)).map(({ name }) => name);
  if (absent.length > 0)
    faults.push(
      faultOf(
        "WD100",
        `imagePullSecrets names ${absent.join(", ")}, which ${absent.length === 1 ? "is" : "are"} not there: passed over, without an error`,
        "the Secret in this namespace, or no such name in the list",
        "wharf apply",
      ),
    );
  const twice = [...once.values()].filter(
    ({ path }) => account.pullSecrets.filter((one) => one.path === path).length > 1,
  );
  if (twice.length > 0)
    faults.push(
      faultOf(
        "WD101",
        `imagePullSecrets names ${twice.map(({ name }) => name).join(", ")} more than once`,
        "each name once",
      ),
    );
  for (const { name, path } of once.values()) {
    const secret = secrets.get(path);
    if (secret !== undefined && !holdsLogins(secret)) faults.push(emptyFault(name, secret));
  }
  return [...faults, ...rivalFaults([...once.values()], secrets)];
}

function emptyFault(name: string, { type, data }: SeenSecret): Fault {
  const keys = Object.keys(data).join(", ");
  return faultOf(
    "WD102",
    `imagePullSecrets names ${name}, of type ${type}${keys === "" ? " without data" : ` with ${keys}`}: the kubelet takes no login from it`,
    `a Secret of type ${SECRET_TYPE} with ${CONFIG_KEY}, under another name or after a delete`,
    "wharf apply",
  );
}

/** By type and key; the API server sees to it that there is something under it. */
function holdsLogins({ type }: SeenSecret): boolean {
  return type === SECRET_TYPE || type === "kubernetes.io/dockercfg";
}

/** Keys that two Secrets have with different logins: the second is asked only after the first was refused. */
function rivalFaults(
  named: readonly { readonly name: string; readonly path: string }[],
  secrets: ReadonlyMap<string, SeenSecret>,
): readonly Fault[] {
  const first = new Map<string, { readonly name: string; readonly login: string }>();
  const rivals: string[] = [];
  for (const { name, path } of named)
    for (const { key, username, secret } of entriesOf(secrets.get(path))) {
      const login = JSON.stringify([username, secret.reveal()]);
      const known = first.get(key);
      if (known === undefined) first.set(key, { name, login });
      else if (known.name !== name && known.login !== login)
        rivals.push(`${key} in ${known.name} and ${name}`);
    }
  if (rivals.length === 0) return [];
  return [
    faultOf(
      "WD103",
      `two logins, tried one after the other: ${[...new Set(rivals)].join("; ")}`,
      "one login for a registry in the Secrets of a ServiceAccount",
    ),
  ];
}

function entriesOf(
  secret: SeenSecret | undefined,
): readonly { readonly key: string; readonly username: string; readonly secret: Secret }[] {
  const written = secret?.type === SECRET_TYPE ? secret.data[CONFIG_KEY] : undefined;
  if (written === undefined) return [];
  let root: JsonObject;
  try {
    root = parseJsonText(Buffer.from(written, "base64").toString(), "");
  } catch (cause) {
    // Said by the Secret's own rules.
    if (isAppError(cause, "FILE_INVALID")) return [];
    throw cause;
  }
  const keyring = readKeyring(root);
  return "entries" in keyring ? keyring.entries : [];
}

function faultOf(code: Fault["code"], message: string, right: string, command?: string): Fault {
  return { code, line: undefined, message, right, ...(command === undefined ? {} : { command }) };
}
