import { AppError } from "#core";
import { renderReference } from "#oci";
import type { FormatName } from "./formats/contract.ts";
import type { ImageSource } from "./sources/parse-source.ts";

/** Where a result goes, as it was written. */
export interface WrittenTarget {
  readonly format: FormatName;
  /** `ssh`: text is the whole address; else a path of this machine. */
  readonly kind: "path" | "ssh";
  readonly text: string;
  /** What the image is called inside an archive or layout: what was said behind the path, else as the image is named. */
  readonly name: string | undefined;
}

const ENDINGS: readonly (readonly [string, FormatName])[] = [
  [".sif", "sif"],
  [".sqsh", "sqsh"],
  [".squashfs", "squashfs"],
  [".sfs", "squashfs"],
  [".tar", "tar"],
];

const PREFIXES: readonly (readonly [string, FormatName])[] = [
  ["oci:", "oci"],
  ["oci-archive:", "oci-archive"],
  ["docker-archive:", "docker-archive"],
];

/** What a file of each format is named after. */
const OWN_ENDING: Readonly<Record<FormatName, string>> = {
  sif: ".sif",
  sqsh: ".sqsh",
  squashfs: ".squashfs",
  tar: ".tar",
  oci: "",
  "oci-archive": ".oci.tar",
  "docker-archive": ".docker.tar",
  rootfs: "",
};

/**
 * Reads OUT: its ending or its prefix says the format, unless `format` does. Without OUT the file is named as the format's own program names it.
 * Throws USAGE where nothing says the format, or two things say another.
 */
export function parseTarget(
  out: string | undefined,
  format: FormatName | undefined,
  source: ImageSource,
): WrittenTarget {
  if (out === undefined) {
    const chosen = format ?? "sif";
    return { format: chosen, kind: "path", text: defaultName(source, chosen), name: innerName(source) };
  }
  const prefix = PREFIXES.find(([start]) => out.startsWith(start));
  const [text, inner] = prefix === undefined ? [out, undefined] : splitName(out.slice(prefix[0].length));
  if (text === "") throw new AppError("USAGE", `${out} names no file`);
  const said = prefix?.[1] ?? ENDINGS.find(([ending]) => text.toLowerCase().endsWith(ending))?.[1];
  if (prefix !== undefined && format !== undefined && format !== prefix[1])
    throw new AppError("USAGE", `${out} is not a file of the format ${format}`);
  const chosen = format ?? said;
  if (chosen === undefined)
    throw new AppError("USAGE", `nothing says in which format ${out} is to be written`, {
      hint: "end it in .sif, .sqsh, .squashfs or .tar, or say it with --format",
    });
  const kind = text.startsWith("ssh://") ? "ssh" : "path";
  return { format: chosen, kind, text, name: inner ?? innerName(source) };
}

/** A path ends at its first colon, as in a source; that of an address is none. */
function splitName(text: string): readonly [string, string | undefined] {
  const colon = text.indexOf(":", text.startsWith("ssh://") ? text.indexOf("/", "ssh://".length) : 0);
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** `registry/repository:tag`; what has only a digest has no name. */
export function innerName(source: ImageSource): string | undefined {
  if (!("reference" in source))
    return source.image?.startsWith("sha256:") === true ? undefined : source.image;
  const { registry, repository, tag, digest } = source.reference;
  if (tag === undefined && digest !== undefined) return undefined;
  return renderReference({ registry, repository, tag: tag ?? "latest" });
}

/** As Enroot names its imports, and Apptainer its pulls: in the current folder. */
function defaultName(source: ImageSource, format: FormatName): string {
  const { repository, tag } = nameOf(source);
  if (format === "sqsh") {
    const short = repository.startsWith("library/") ? repository.slice("library/".length) : repository;
    return `${[...short.split("/"), tag].join("+")}.sqsh`;
  }
  return `${repository.slice(repository.lastIndexOf("/") + 1)}_${tag}${OWN_ENDING[format]}`;
}

function nameOf(source: ImageSource): { readonly repository: string; readonly tag: string } {
  if ("reference" in source) {
    const { repository, tag, digest } = source.reference;
    return { repository, tag: tag ?? digest?.slice(0, "sha256:".length + 12).replace(":", "-") ?? "latest" };
  }
  const file = source.path.replace(/\/+$/, "");
  const base = file.slice(file.lastIndexOf("/") + 1).replace(/\.tar$/, "");
  const [, tag] = /:([\w.-]{1,128})$/.exec(source.image ?? "") ?? [];
  // A path may be "." or "..": neither names anything.
  return { repository: /^\.*$/.test(base) ? "image" : base, tag: tag ?? "latest" };
}
