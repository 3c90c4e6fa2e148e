import { AppError } from "#core";
import { isTag, parseReference, type Reference } from "#oci";
import { parseSource } from "../sources/parse-source.ts";

/** Where images are copied to, as it was written. */
export type CopyDestination =
  | {
      readonly kind: "registry";
      readonly text: string;
      readonly reference: Reference;
      /** Several images go below it, each under its own name. */
      readonly isPrefix: boolean;
    }
  | {
      readonly kind: "oci-layout" | "oci-archive" | "docker-archive";
      readonly text: string;
      readonly path: string;
      /** The name that the image gets there; undefined for the one that it has. */
      readonly image: string | undefined;
    };

/**
 * Parses `docker://NAME` (`oras://` too), `oci:FOLDER[:NAME]`, `oci-archive:FILE[:NAME]`, `docker-archive:FILE[:NAME]`. A registry's name that ends
 * with a slash is one to put images below. undefined for what is none of these: a file whose ending says its format. Throws as `parseSource`.
 */
export function parseDestination(
  text: string,
  isForSeveral: boolean,
  resolvePath: (path: string) => string,
): CopyDestination | undefined {
  if (!/^(?:docker|oras):\/\/|^(?:oci|oci-archive|docker-archive):(?!\/\/)/.test(text)) return undefined;
  const isPrefix = isForSeveral || text.endsWith("/");
  const source = parseSource(isPrefix ? text.replace(/\/+$/, "") : text, resolvePath);
  switch (source.kind) {
    case "registry":
    case "artifact":
      if (source.reference.digest !== undefined)
        throw new AppError("INVALID_INPUT", "an image is not copied to a digest: it has its own", {
          hint: "leave the @sha256:… out",
        });
      if (isPrefix && source.reference.tag !== undefined)
        throw new AppError("USAGE", "several images cannot have one name", {
          hint: "name a repository without a tag: each image gets its own name below it",
        });
      return { kind: "registry", text, reference: source.reference, isPrefix };
    case "oci-layout":
    case "oci-archive":
    case "docker-archive":
      if (isForSeveral && source.image !== undefined)
        throw new AppError("USAGE", "several images cannot have one name", {
          hint: `leave :${source.image} out`,
        });
      return { kind: source.kind, text, path: source.path, image: source.image };
    case "docker-daemon":
      return undefined;
  }
}

/**
 * Where an image goes in a registry: below a prefix the path that it has now, without its registry; else the name that was said, with the image's own
 * tag where none was. `tag` is undefined for an image without one that goes by its digest.
 */
export function placeInRegistry(
  destination: Extract<CopyDestination, { readonly kind: "registry" }>,
  name: string | undefined,
): { readonly repository: string; readonly tag: string | undefined } {
  const { reference, isPrefix, text } = destination;
  const own = name === undefined ? undefined : parseOwnName(name);
  if (!isPrefix) return { repository: reference.repository, tag: reference.tag ?? own?.tag ?? "latest" };
  if (own?.repository === undefined)
    throw new AppError("USAGE", `an image without a name has no place below ${text}`, {
      hint: "copy it alone, to a name with a tag",
    });
  const below = text.slice(text.indexOf("://") + 3).replace(/\/+$/, "");
  const whole = parseReference(`${below}/${own.repository}`);
  return { repository: whole.repository, tag: own.tag };
}

/** A name in a layout may be a tag alone. */
function parseOwnName(name: string): { readonly repository: string | undefined; readonly tag: string } {
  if (isTag(name)) return { repository: undefined, tag: name };
  const { repository, tag } = parseReference(name);
  return { repository, tag: tag ?? "latest" };
}
