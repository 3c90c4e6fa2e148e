import { isAppError } from "#core";
import type { MatchAnswer } from "../contract.ts";
import { parseImageName } from "../image-name.ts";
import { fieldOf, parseJsonText, readJsonText } from "../json-text.ts";
import { type KeyringEntry, lookUp, readEntries, readKeyring } from "./keyring.ts";
import { CONFIG_KEY, parseSecretObject } from "./secret-object.ts";
import { SECRET_TYPE } from "./secret-yaml.ts";

const OLD_TYPE = "kubernetes.io/dockercfg";
const OLD_KEY = ".dockercfg";

interface PodEntry extends KeyringEntry {
  readonly file: string;
}

/**
 * What the kubelet would try first for an image of a pod that has these Secrets, in the pod's order (kubelet's secrets.go, keyring.go): the
 * entries of all are one keyring, the longest key first, equal keys in the order of the Secrets; one that cannot be read fails every
 * pull of the pod. Secrets of other types are passed over.
 */
export function matchPodSecrets(files: ReadonlyMap<string, Uint8Array>, image: string): MatchAnswer {
  const { registry, repository } = parseImageName(image);
  const entries: PodEntry[] = [];
  const notes: string[] = [];
  for (const [file, bytes] of files) {
    const found = readSecret(file, bytes);
    if ("broken" in found)
      return { kind: "broken", file, why: `${found.broken}: every pull of the pod fails` };
    if (found.note !== undefined) notes.push(found.note);
    entries.push(...found.entries.map((entry) => ({ ...entry, file })));
  }
  const [first, ...others] = lookUp(entries, registry, repository);
  if (first === undefined) {
    if (files.size > 0 && entries.length > 0) notes.push(`no entry fits ${registry}/${repository}`);
    const why = notes.length === 0 ? "there is no Secret" : notes.join("; ");
    return { kind: "anonymous", why, searched: [...files.keys()] };
  }
  if (first.username === "" && first.secret.length === 0)
    return {
      kind: "broken",
      file: first.file,
      why: `the entry ${first.written} is empty: the kubelet sends an empty login`,
    };
  const { file, written, username, secret } = first;
  const shadows = others.map((other) =>
    other.file === file && other.key === first.key
      ? `${other.written} is the same key to the kubelet, which takes the two in any order`
      : `${other.written} of ${other.file} is tried next`,
  );
  return { kind: "login", match: { file, key: written, username, secret, identityToken: false, shadows } };
}

function readSecret(
  file: string,
  bytes: Uint8Array,
):
  | { readonly entries: readonly KeyringEntry[]; readonly note: string | undefined }
  | { readonly broken: string } {
  try {
    const { type, data } = parseSecretObject(Buffer.from(bytes).toString(), file);
    const value = type === SECRET_TYPE ? data[CONFIG_KEY] : type === OLD_TYPE ? data[OLD_KEY] : undefined;
    if (value === undefined)
      return { entries: [], note: `${file} has the type ${type}, which the kubelet passes over` };
    const key = type === OLD_TYPE ? OLD_KEY : CONFIG_KEY;
    const label = `${file} (${key})`;
    const root = parseJsonText(readJsonText(Buffer.from(value, "base64"), label), label);
    if (type === SECRET_TYPE && fieldOf(root, "auths") === undefined && root.members.length > 0)
      return {
        entries: [],
        note: `${file} has no auths around its entries, so the kubelet reads none of them`,
      };
    const keyring = type === OLD_TYPE ? readEntries(root.members) : readKeyring(root);
    return "broken" in keyring ? keyring : { entries: keyring.entries, note: undefined };
  } catch (fault) {
    if (!isAppError(fault, "FILE_INVALID")) throw fault;
    return { broken: fault.message };
  }
}
