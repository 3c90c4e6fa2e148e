import { AppError } from "#core";
import { isDigest } from "./digest.ts";
import { createLookalikeCheck } from "./lookalike-keys.ts";
import { isForeignLayerType } from "./media-types.ts";

const checkKeys = createLookalikeCheck([
  "mediaType",
  "digest",
  "size",
  "urls",
  "annotations",
  "data",
  "artifactType",
  "platform",
]);

/** Which machine an entry of an index is for (image-spec, image-index.md). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
}

/** What points to content: image-spec, descriptor.md. Fields of other people's own are not here, the bytes keep them. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly urls: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly platform?: Platform;
  /** The content itself, base64, as it stands in the manifest: not yet checked against the digest. */
  readonly data?: string;
}

/** A JSON object that came from outside. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses one descriptor; `where` names it in the error. Throws MANIFEST_INVALID or DIGEST_INVALID. */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  if (!isJsonObject(value)) throw invalid(`${where} is not a descriptor`);
  checkKeys(value);
  const { digest, size, mediaType } = value;
  if (typeof digest !== "string" || !isDigest(digest)) {
    throw new AppError("DIGEST_INVALID", `the digest of ${where} is not a sha256 or sha512 digest`);
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(`the size of ${where} is not a whole number of bytes`);
  }
  const artifactType = optionalText(value.artifactType, `the artifactType of ${where}`);
  const data = optionalText(value.data, `the data of ${where}`);
  const platform = parsePlatform(value.platform, where);
  return {
    mediaType: optionalText(mediaType, `the mediaType of ${where}`) ?? "",
    digest,
    sizeBytes: size,
    urls: parseUrls(value.urls, where),
    annotations: parseAnnotations(value.annotations, where),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(platform === undefined ? {} : { platform }),
    ...(data === undefined ? {} : { data }),
  };
}

/** True for a layer that a registry need not hold: a foreign media type, or content that is had from its own URLs. */
export function isForeignLayer(descriptor: Descriptor): boolean {
  return isForeignLayerType(descriptor.mediaType) || descriptor.urls.length > 0;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Text, or undefined where there is none (Go writers put null or ""). */
export function optionalText(value: unknown, where: string): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") throw invalid(`${where} is not text`);
  return value;
}

/** String to string, empty where there is none. The result has no prototype, so any key is only data. */
export function parseAnnotations(value: unknown, where: string): Readonly<Record<string, string>> {
  const annotations: Record<string, string> = Object.create(null);
  if (value === undefined || value === null) return annotations;
  if (!isJsonObject(value)) throw invalid(`the annotations of ${where} are not an object`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw invalid(`an annotation of ${where} is not text`);
    annotations[key] = text;
  }
  return annotations;
}

function parseUrls(value: unknown, where: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((url) => typeof url !== "string")) {
    throw invalid(`the urls of ${where} are not a list of text`);
  }
  return value as string[];
}

function parsePlatform(value: unknown, where: string): Platform | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw invalid(`the platform of ${where} is not an object`);
  const variant = optionalText(value.variant, `the variant of ${where}`);
  const osVersion = optionalText(value["os.version"], `the os.version of ${where}`);
  return {
    os: optionalText(value.os, `the os of ${where}`) ?? "",
    architecture: optionalText(value.architecture, `the architecture of ${where}`) ?? "",
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
  };
}

function invalid(message: string): AppError {
  return new AppError("MANIFEST_INVALID", message);
}
