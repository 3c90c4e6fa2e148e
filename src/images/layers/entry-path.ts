import type { LayerLimits } from "./layer-limits.ts";
import { invalidLayer, overLimit } from "./refuse.ts";

/**
 * The path of an entry, relative to the root: without slashes at its ends, "." and ".."; "" is the root. ".." is taken by the letter and stops at
 * the root, as umoci and containerd do it: nothing gets out of it. Throws TOO_LARGE.
 */
export function cleanPath(raw: string, limits: LayerLimits): string {
  if (raw.length > 4 * limits.maxPathBytes) throw overLimit("its path is too long", "maxPathBytes");
  const path = isClean(raw) ? raw : cleanComponents(raw);
  if (path.length > limits.maxPathBytes)
    throw overLimit(`its path is longer than ${limits.maxPathBytes} bytes`, "maxPathBytes");
  checkComponents(path, limits);
  return path;
}

/** What an entry's name says beside a plain file: a whiteout of `path`, an opaque folder `path`, bookkeeping of AUFS that nobody unpacks. */
export type NameMeaning =
  | { readonly kind: "plain" }
  | { readonly kind: "whiteout" | "opaque"; readonly path: string }
  | { readonly kind: "bookkeeping" };

const PLAIN: NameMeaning = { kind: "plain" };

/** Reads ".wh." names (image-spec, layer.md "Whiteouts"). Throws IMAGE_INVALID for those that hide nothing that can be named. */
export function nameMeaning(path: string): NameMeaning {
  if (!path.includes(PREFIX)) return PLAIN;
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "" : path.slice(0, slash);
  const name = path.slice(slash + 1);
  const above = `/${folder}`;
  if (above.includes(`/${PREFIX}${PREFIX}`)) return { kind: "bookkeeping" };
  if (above.includes(`/${PREFIX}`)) throw invalidLayer("it lies in a folder whose name says that it is gone");
  if (!name.startsWith(PREFIX)) return PLAIN;
  if (name === OPAQUE) return { kind: "opaque", path: folder };
  if (name.startsWith(PREFIX + PREFIX)) return { kind: "bookkeeping" };
  const hidden = name.slice(PREFIX.length);
  if (hidden === "" || hidden === "." || hidden === "..")
    throw invalidLayer("it is a whiteout without the name of what it hides");
  return { kind: "whiteout", path: folder === "" ? hidden : `${folder}/${hidden}` };
}

const PREFIX = ".wh.";
const OPAQUE = ".wh..wh..opq";
const SLASH = 0x2f;
const DOT = 0x2e;

/** True where no component is empty, "." or "..": nearly always, so no array is made for it. */
function isClean(raw: string): boolean {
  let start = 0;
  for (let at = 0; at <= raw.length; at++) {
    if (at < raw.length && raw.charCodeAt(at) !== SLASH) continue;
    const length = at - start;
    if (length === 0) return false;
    if (length <= 2 && raw.charCodeAt(start) === DOT && raw.charCodeAt(at - 1) === DOT) return false;
    start = at + 1;
  }
  return true;
}

function cleanComponents(raw: string): string {
  const kept: string[] = [];
  for (const component of raw.split("/")) {
    if (component === "..") kept.pop();
    else if (component !== "" && component !== ".") kept.push(component);
  }
  return kept.join("/");
}

function checkComponents(path: string, limits: LayerLimits): void {
  let depth = 0;
  let start = 0;
  while (start <= path.length) {
    const slash = path.indexOf("/", start);
    const end = slash < 0 ? path.length : slash;
    if (end - start > limits.maxNameBytes)
      throw overLimit(`a name in its path is longer than ${limits.maxNameBytes} bytes`, "maxNameBytes");
    if (++depth > limits.maxDepth)
      throw overLimit(`it lies deeper than ${limits.maxDepth} folders`, "maxDepth");
    start = end + 1;
  }
}
