import type { MatchAnswer, Target } from "../contract.ts";
import { matchPodman } from "../podman/reader.ts";
import { parseTomlText, readTomlText, tomlAt } from "../toml-text.ts";
import { authFile, crioFiles, DROP_IN, MAIN_FILE, namedFile, rootTarget } from "./paths.ts";

/**
 * The entry by which CRI-O pulls when the kubelet gives it no login: from its `global_auth_file` alone, else where root's Podman looks.
 * Of the drop-ins only ours is looked at: one of a later name that sets the file too is not seen.
 */
export function matchCrio(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const named = namedFile(target);
  if (named !== undefined) return matchPodman(files, image, { ...rootTarget(), options: { file: named } });
  let global: string | undefined;
  for (const path of [MAIN_FILE, DROP_IN]) {
    const bytes = files.get(path);
    if (bytes === undefined) continue;
    try {
      const value = tomlAt(parseTomlText(readTomlText(bytes, path), path), [
        "crio",
        "image",
        "global_auth_file",
      ]);
      if (value !== undefined && typeof value !== "string")
        return { kind: "broken", file: path, why: "global_auth_file is no text: CRI-O does not start" };
      global = value ?? global;
    } catch (fault) {
      const why = fault instanceof Error ? fault.message : "it does not parse";
      return { kind: "broken", file: path, why: `${why}: CRI-O does not start` };
    }
  }
  if (global === undefined || global === "") return matchPodman(files, image, rootTarget());
  if (!crioFiles(target).includes(global))
    return {
      kind: "anonymous",
      why: `global_auth_file names ${global}, which was not looked into: give the delivery file: ${global}`,
      searched: [MAIN_FILE, authFile(target)],
    };
  return matchPodman(files, image, { ...rootTarget(), options: { file: global } });
}
