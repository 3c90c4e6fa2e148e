/** Values of the OCI specifications: parse and check, no I/O. */
export {
  type Descriptor,
  isForeignLayer,
  type Platform,
  parseDescriptor,
} from "./descriptor.ts";
export { type Digest, type DigestAlgorithm, digestOf, isDigest, parseDigest } from "./digest.ts";
export { type HistoryStep, type ImageConfig, parseImageConfig } from "./image-config.ts";
export { jsonDepth } from "./json-depth.ts";
export {
  defaultManifestLimits,
  MAX_MANIFEST_BYTES,
  type Manifest,
  type ManifestLimits,
  type ManifestReference,
  parseManifest,
  referrerArtifactType,
} from "./manifest.ts";
export {
  isForeignLayerType,
  isImageManifestType,
  isIndexType,
  manifestAccept,
  mediaTypeEssence,
  mediaTypes,
} from "./media-types.ts";
export { manifestKey, parseReference, type Reference, renderReference } from "./reference.ts";
export {
  canonicalRegistry,
  DOCKER_HUB,
  looksLikeRegistry,
  parseRegistry,
  type RegistryName,
  registryHost,
} from "./registry-name.ts";
export {
  isRepositoryName,
  isTag,
  MAX_REPOSITORY_LENGTH,
  MAX_TAG_LENGTH,
  parseRepositoryName,
  parseTag,
} from "./repository-name.ts";
