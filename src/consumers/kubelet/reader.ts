import type { MatchAnswer, Target } from "../contract.ts";
import { parseImageName } from "../image-name.ts";
import { type JsonObject, parseJsonBytes } from "../json-text.ts";
import {
  describeOthers,
  type KeyringEntry,
  lookUp,
  readEntries,
  readKeyring,
} from "../kubernetes/keyring.ts";
import { onceForBytes } from "../once-for-bytes.ts";
import { type NodeFile, nodeFiles } from "./paths.ts";

/**
 * What the kubelet would try first for an image when the pod has no pull secret for it. The first valid file is the only one; those that
 * it cannot decode are passed over in silence, so the answer is `broken` only where nothing valid comes after one.
 */
export function matchKubelet(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const { registry, repository } = parseImageName(image);
  const searched: string[] = [];
  let broken: MatchAnswer | undefined;
  const notes: string[] = [];
  for (const place of nodeFiles(target)) {
    searched.push(place.path);
    const bytes = files.get(place.path);
    if (bytes === undefined) continue;
    const found = readFile(bytes, place.path, place.form);
    if ("unsure" in found) return { kind: "broken", file: place.path, why: found.unsure };
    if ("skipped" in found) {
      const why = `${found.skipped}: the kubelet passes over the whole file in silence`;
      broken ??= { kind: "broken", file: place.path, why };
      notes.push(`${place.path} cannot be decoded, so it is passed over`);
      continue;
    }
    const tried = lookUp(found.entries, registry, repository);
    const [first] = tried;
    if (first === undefined) {
      const why = [...notes, `no entry of ${place.path} fits ${registry}/${repository}`].join("; ");
      return { kind: "anonymous", why, searched };
    }
    if (first.username === "" && first.secret.length === 0)
      return {
        kind: "broken",
        file: place.path,
        why: `the entry ${first.written} is empty: the kubelet sends an empty login`,
      };
    const { username, secret, written } = first;
    const shadows = [...notes, ...describeOthers(tried)];
    return {
      kind: "login",
      match: { file: place.path, key: written, username, secret, identityToken: false, shadows },
    };
  }
  return broken ?? { kind: "anonymous", why: "there is no file", searched };
}

type Found =
  | { readonly entries: readonly KeyringEntry[] }
  | { readonly skipped: string }
  | { readonly unsure: string };

const readFile = onceForBytes((bytes, path, form: NodeFile["form"]): Found => {
  let root: JsonObject;
  try {
    root = parseJsonBytes(bytes, path);
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : "it does not parse";
    const value = parseLoosely(bytes);
    // To Go null is an empty file that is valid.
    if (value === null) return { entries: [] };
    return typeof value === "object" && !Array.isArray(value) ? { unsure: why } : { skipped: why };
  }
  const keyring = form === "config.json" ? readKeyring(root) : readEntries(root.members);
  return "broken" in keyring ? { skipped: keyring.broken } : keyring;
});

/** What a laxer parser makes of it; an object may have a key twice: then the kubelet reads the file, and we do not know what of it. */
function parseLoosely(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
