import type { MatchAnswer, Target } from "../contract.ts";
import { parseImageName } from "../image-name.ts";
import { fieldOf, type JsonObject, parseJsonBytes } from "../json-text.ts";
import { onceForBytes } from "../once-for-bytes.ts";
import { describeOthers, type Keyring, lookUp, readKeyring } from "./keyring.ts";
import { matchPodSecrets } from "./pod-reader.ts";
import { secretFiles } from "./secret-files.ts";
import { parseSecretYaml } from "./secret-yaml.ts";

/**
 * What the kubelet would try first for an image with these Secrets on the pod, in order; what it would try next is in `shadows`. In a
 * cluster they are one keyring (`matchPodSecrets`); manifests in folders are of several namespaces, and each is looked at by itself.
 */
export function matchKubernetes(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  if (target.namespaces !== undefined) return matchPodSecrets(files, image);
  const { registry, repository } = parseImageName(image);
  const searched = secretFiles(target).map((file) => file.path);
  const notes: string[] = [];
  for (const path of searched) {
    const bytes = files.get(path);
    if (bytes === undefined) continue;
    let found: { readonly root: JsonObject; readonly keyring: Keyring };
    try {
      found = readSecret(bytes, path);
    } catch (fault) {
      return {
        kind: "broken",
        file: path,
        why: fault instanceof Error ? fault.message : "it does not parse",
      };
    }
    const { root, keyring } = found;
    if (fieldOf(root, "auths") === undefined && root.members.length > 0) {
      notes.push(`${path} has no auths around its entries, so the kubelet reads none of them`);
      continue;
    }
    if ("broken" in keyring)
      return { kind: "broken", file: path, why: `${keyring.broken}: every pull of the pod fails` };
    const tried = lookUp(keyring.entries, registry, repository);
    const [first] = tried;
    if (first === undefined) {
      notes.push(`no entry of ${path} fits ${registry}/${repository}`);
      continue;
    }
    if (first.username === "" && first.secret.length === 0)
      return {
        kind: "broken",
        file: path,
        why: `the entry ${first.written} is empty: the kubelet sends an empty login`,
      };
    const shadows = describeOthers(tried);
    const { username, secret, written } = first;
    return {
      kind: "login",
      match: { file: path, key: written, username, secret, identityToken: false, shadows },
    };
  }
  return { kind: "anonymous", why: notes.length === 0 ? "there is no file" : notes.join("; "), searched };
}

const readSecret = onceForBytes((bytes, path) => {
  const root = parseJsonBytes(parseSecretYaml(bytes, path).config, `${path} (.dockerconfigjson)`);
  return { root, keyring: readKeyring(root) };
});
