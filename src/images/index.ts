/** Images: a view of one from anywhere, its layers merged into one tree, and the formats that it can be written as. */

export { type CacheFolder, type CacheItem, listCache, openCacheFolder, pruneCache } from "./cache/index.ts";
export type {
  ByteSource,
  ImageContent,
  ImageView,
  LayerBlob,
  LayerEntry,
  LayerIndex,
  LayerVisitor,
  Sink,
  TreeNode,
} from "./contract.ts";
export { type CopyDestination, parseDestination } from "./copy/copy-destination.ts";
export {
  type CopiedImage,
  type CopyRequest,
  copyImages,
} from "./copy/copy-images.ts";
export { type CopySource, parseCopySource } from "./copy/copy-source.ts";
export { loadFormat } from "./formats/all.ts";
export type { FormatChoice, FormatName, ImageFormat } from "./formats/contract.ts";
export { type SifOptions, writeSif, ZSTD_SIF_NOTE } from "./formats/sif/write-sif.ts";
export { type SqshOptions, writeSqsh } from "./formats/sqsh/write-sqsh.ts";

export {
  type BuildSquashfsOptions,
  type BuiltSquashfs,
  buildSquashfs,
  type EditTree,
} from "./formats/squashfs/build-squashfs.ts";
export {
  cacheForImport,
  type ImageUse,
  type ImportCaches,
  type ImportedImage,
  importImage,
  releaseImports,
} from "./import-image.ts";
export { type FileFacts, inspectFile } from "./inspect-file.ts";
export { type ImageFacts, inspectImage, readRawManifest } from "./inspect-image.ts";
export { mergeLayers } from "./layers/merge-layers.ts";
export { readLayer } from "./layers/read-layer.ts";
export { type PullOutcome, type PullTarget, pullImage } from "./pull-image.ts";
export type { PullProgress } from "./pull-meter.ts";
export { parseTarget, type WrittenTarget } from "./pull-target.ts";
export { readStretch } from "./read-stretch.ts";
export { createLocalFileSink } from "./sinks/local-file.ts";
export { createSshSink, type SshSinkOptions } from "./sinks/ssh.ts";
export { parseSshTarget, type SshTarget } from "./sinks/ssh-target.ts";
export {
  type PlatformChoice,
  parsePlatform,
  platformChoice,
  renderPlatform,
} from "./sources/choose-platform.ts";
export { listImages } from "./sources/list-images.ts";
export { openSource, type SourceSurroundings } from "./sources/open-source.ts";
export { openView } from "./sources/open-view.ts";
export { type ImageSource, parseSource, sourceSpellings } from "./sources/parse-source.ts";
