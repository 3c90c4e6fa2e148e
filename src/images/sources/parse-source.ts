import { AppError } from "#core";
import { parseDigest, parseReference, type Reference } from "#oci";

/** Where an image comes from, as it was written. */
export type ImageSource =
  | {
      /** `artifact` (oras://): what it points to is a file, not an image. */
      readonly kind: "registry" | "artifact" | "docker-daemon";
      readonly text: string;
      readonly reference: Reference;
    }
  | {
      readonly kind: "oci-layout" | "oci-archive" | "docker-archive";
      readonly text: string;
      readonly path: string;
      /** Which image of it: a name as it stands in the index, or a digest; undefined for the only one. */
      readonly image: string | undefined;
    };

/** What stands before the colon, as containers/image and Apptainer spell it. */
const KINDS = {
  docker: "registry",
  oras: "artifact",
  oci: "oci-layout",
  "oci-archive": "oci-archive",
  "docker-archive": "docker-archive",
  "docker-daemon": "docker-daemon",
} as const;

export const sourceSpellings =
  "docker://NAME, oras://NAME, oci:FOLDER[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], docker-daemon:NAME";

/**
 * Parses `docker://NAME` (docker's and Enroot's form; a bare name is one too), `oras://NAME`, `oci:FOLDER[:TAG|@DIGEST]`, `oci-archive:FILE[:TAG|@DIGEST]`,
 * `docker-archive:FILE[:NAME]`, `docker-daemon:NAME`. A path ends at its first colon; `absolute` says where a
 * relative one begins. Throws INVALID_INPUT, NAME_INVALID, DIGEST_INVALID.
 */
export function parseSource(text: string, absolute: (path: string) => string = (path) => path): ImageSource {
  const scheme = /^([a-z][a-z-]*):(\/\/)?/.exec(text);
  const kind =
    scheme?.[1] === undefined ? undefined : (KINDS as Record<string, ImageSource["kind"]>)[scheme[1]];
  const hasSlashes = scheme?.[2] !== undefined;
  if (kind === undefined) {
    if (hasSlashes) throw unknownSpelling(text);
    return { kind: "registry", text: `docker://${text}`, reference: parseReference(text) };
  }
  const isNetwork = kind === "registry" || kind === "artifact";
  // `docker:5000/image` and `oci/image` are images of a registry; `docker:latest` is Docker Hub's image named docker.
  if (isNetwork && !hasSlashes)
    return { kind: "registry", text: `docker://${text}`, reference: parseReference(text) };
  const rest = text.slice(scheme?.[0].length);
  if (rest === "") throw unknownSpelling(text);
  if (isNetwork || kind === "docker-daemon") {
    if (kind === "docker-daemon" && hasSlashes) throw unknownSpelling(text);
    return { kind, text, reference: parseReference(rest) };
  }
  // A folder named `//x` is nobody's.
  if (hasSlashes) throw unknownSpelling(text);
  const { path, image } = splitPath(rest, text);
  return { kind, text, path: absolute(path), image };
}

function splitPath(
  rest: string,
  text: string,
): { readonly path: string; readonly image: string | undefined } {
  const [, before, digest] = /^(.*?)@(sha(?:256|512):[^:@/]*)$/.exec(rest) ?? [];
  if (before !== undefined && digest !== undefined && before !== "")
    return { path: before, image: parseDigest(digest).text };
  const colon = rest.indexOf(":");
  if (colon < 0) return { path: rest, image: undefined };
  const image = rest.slice(colon + 1);
  if (colon === 0 || image === "" || image.length > 1024) throw unknownSpelling(text);
  return { path: rest.slice(0, colon), image };
}

function unknownSpelling(text: string): AppError {
  return new AppError(
    "INVALID_INPUT",
    `${JSON.stringify(text.slice(0, 200))} is not where an image comes from`,
    {
      hint: `write one of ${sourceSpellings}`,
    },
  );
}
