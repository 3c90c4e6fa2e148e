import { AppError } from "#core";
import {
  type Descriptor,
  isForeignLayer,
  isJsonObject,
  type JsonObject,
  optionalText,
  parseAnnotations,
  parseDescriptor,
} from "./descriptor.ts";
import { jsonDepth } from "./json-depth.ts";
import { createLookalikeCheck } from "./lookalike-keys.ts";
import {
  isImageManifestType,
  isIndexType,
  isSchema1Type,
  mediaTypeEssence,
  mediaTypes,
} from "./media-types.ts";

/** Largest manifest that clients read (containerd: 4 · 1048 · 1048); more is TOO_LARGE. */
export const MAX_MANIFEST_BYTES = 4_393_216;

export interface ManifestLimits {
  readonly maxBytes: number;
  /** Nesting of objects and arrays. */
  readonly maxDepth: number;
  /** Layers, or entries of an index. */
  readonly maxDescriptors: number;
}

export const defaultManifestLimits: ManifestLimits = {
  maxBytes: MAX_MANIFEST_BYTES,
  maxDepth: 64,
  maxDescriptors: 10_000,
};

/** A blob or manifest that a manifest points to. Not `required`: a registry may take the manifest without holding it. */
export interface ManifestReference {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly required: boolean;
}

/** A manifest, read. The bytes are the truth: what is unknown here is kept there. */
export interface Manifest {
  /** `image` has a config and layers, `index` has manifests, `other` is of a media type we do not know. */
  readonly kind: "image" | "index" | "other";
  /** What to serve as Content-Type. */
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config?: Descriptor;
  /** Layers of an image, blobs of an artifact manifest. */
  readonly layers: readonly Descriptor[];
  /** Entries of an index. */
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
  /** Each digest once. The subject is not among them: it may be missing (distribution-spec, "Pushing Manifests with Subject"). */
  readonly references: {
    readonly blobs: readonly ManifestReference[];
    readonly manifests: readonly ManifestReference[];
  };
}

/**
 * Reads a manifest of any media type: OCI image, index and artifact, Docker schema 2 and list; others as far as they look like one.
 * `contentType` is the header, parameters allowed; without it the body's own mediaType or shape decides.
 * Throws TOO_LARGE, MANIFEST_INVALID, DIGEST_INVALID.
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType?: string | null,
  limits: ManifestLimits = defaultManifestLimits,
): Manifest {
  if (bytes.length > limits.maxBytes) {
    throw new AppError("TOO_LARGE", `the manifest is larger than ${limits.maxBytes} bytes`);
  }
  const body = parseBody(bytes, limits.maxDepth);
  const mediaType = decideMediaType(body, mediaTypeEssence(contentType));
  const kind = decideKind(body, mediaType);
  const isArtifact = mediaType === mediaTypes.ociArtifact;
  if (kind !== "other" && !isArtifact && body.schemaVersion !== 2) throw invalid("schemaVersion is not 2");

  const config =
    kind === "image" && isThere(body.config) ? parseDescriptor(body.config, "config") : undefined;
  if (config === undefined && isImageManifestType(mediaType))
    throw invalid("an image manifest needs a config");
  const layers = kind === "image" ? parseList(body, isArtifact ? "blobs" : "layers", limits) : [];
  const manifests = kind === "index" ? parseList(body, "manifests", limits) : [];
  const subject = isThere(body.subject) ? parseDescriptor(body.subject, "subject") : undefined;
  const artifactType = optionalText(body.artifactType, "artifactType");
  return {
    kind,
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(config === undefined ? {} : { config }),
    layers,
    manifests,
    ...(subject === undefined ? {} : { subject }),
    annotations: parseAnnotations(body.annotations, "the manifest"),
    references: {
      blobs: referencesOf(config === undefined ? layers : [config, ...layers]),
      manifests: referencesOf(manifests),
    },
  };
}

/** What a referrers list says of this manifest (distribution-spec, "Listing Referrers"): its artifactType, else its config's media type. */
export function referrerArtifactType(manifest: Manifest): string | undefined {
  return manifest.artifactType ?? manifest.config?.mediaType;
}

const checkKeys = createLookalikeCheck([
  "schemaVersion",
  "mediaType",
  "artifactType",
  "config",
  "layers",
  "blobs",
  "manifests",
  "subject",
  "annotations",
]);

function parseBody(bytes: Uint8Array, maxDepth: number): JsonObject {
  if (jsonDepth(bytes) > maxDepth) throw invalid(`the JSON is nested deeper than ${maxDepth}`);
  let body: unknown;
  try {
    // A byte order mark stays, so that JSON.parse refuses it as Go's reader does.
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new AppError("MANIFEST_INVALID", "the manifest is not JSON in UTF-8", { cause });
  }
  if (!isJsonObject(body)) throw invalid("the manifest is not a JSON object");
  checkKeys(body);
  return body;
}

function decideMediaType(body: JsonObject, header: string | undefined): string {
  const own = optionalText(body.mediaType, "mediaType");
  if (own !== undefined && header !== undefined && own.toLowerCase() !== header) {
    throw invalid("the mediaType in the manifest is not the Content-Type it came with"); // GHSA-qq97-vm5h-rrhg
  }
  const said = own ?? header;
  if (said !== undefined) return said;
  if (isThere(body.manifests)) return mediaTypes.ociIndex;
  if (isThere(body.config) || isThere(body.layers)) return mediaTypes.ociManifest;
  throw invalid("nothing says which media type the manifest has");
}

function decideKind(body: JsonObject, mediaType: string): Manifest["kind"] {
  if (isSchema1Type(mediaType) || body.schemaVersion === 1) {
    throw new AppError("MANIFEST_INVALID", "Docker's schema 1 manifests are not supported", {
      hint: "pull and push the image again with a current program",
    });
  }
  const hasManifests = isThere(body.manifests);
  const hasLayers = isThere(body.layers) || isThere(body.config);
  if (hasManifests && hasLayers) throw invalid("a manifest has either manifests or layers, not both");
  if (isImageManifestType(mediaType)) {
    if (hasManifests) throw invalid("an image manifest has no manifests");
    return "image";
  }
  if (isIndexType(mediaType)) {
    if (hasLayers) throw invalid("an index has no config and no layers");
    return "index";
  }
  if (mediaType === mediaTypes.ociArtifact) return "image";
  // Any media type is accepted; where the body has the shape of one we know, its references are kept alive too.
  if (Array.isArray(body.manifests)) return "index";
  return Array.isArray(body.layers) ? "image" : "other";
}

function parseList(body: JsonObject, key: string, limits: ManifestLimits): Descriptor[] {
  const list = body[key];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw invalid(`${key} is not a list`);
  if (list.length > limits.maxDescriptors)
    throw invalid(`${key} has more than ${limits.maxDescriptors} entries`);
  return list.map((entry, index) => parseDescriptor(entry, `${key}[${index}]`));
}

function referencesOf(descriptors: readonly Descriptor[]): ManifestReference[] {
  const found = new Map<string, ManifestReference>();
  for (const descriptor of descriptors) {
    const { digest, sizeBytes } = descriptor;
    const required = !isForeignLayer(descriptor);
    const before = found.get(digest);
    if (before !== undefined && before.sizeBytes !== sizeBytes) throw invalid(`${digest} is given two sizes`);
    found.set(digest, { digest, sizeBytes, required: required || before?.required === true });
  }
  return [...found.values()];
}

/** Go writers put null for what they do not have. */
function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function invalid(message: string): AppError {
  return new AppError("MANIFEST_INVALID", message);
}
