/** The image cache: blobs by their digest, and results, in a folder that many processes, users and machines may share. */
export { type BlobCache, type BlobCacheOptions, openBlobCache } from "./blob-cache.ts";
export { type CacheFolder, openCacheFolder } from "./cache-folder.ts";
export type { BlobAddress, BlobOrigin } from "./contract.ts";
export { openSourceFile, type SourceFile } from "./file-source.ts";
export { type CacheItem, listCache } from "./list-cache.ts";
export { type Pruned, type PruneLimits, pruneCache } from "./prune-cache.ts";
export { readSmallBlob, writeSmallBlob } from "./small-blobs.ts";
