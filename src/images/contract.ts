import type { Context } from "#core";
import type { Descriptor, Digest, ImageConfig } from "#oci";

/** Immutable bytes with a known length: a whole file, a stretch of one (a layer inside an archive), memory, or a blob that is still arriving. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Up to `length` bytes from `offset`; waits for bytes that are still arriving; none only at the end. Throws what the arrival threw. */
  read(offset: number, length: number, context: Context): Promise<Uint8Array>;
}

/** One layer as it came: compressed or not, verified against `descriptor.digest` by whoever made the source, against `diffId` by `readLayer`. */
export interface LayerBlob {
  readonly descriptor: Descriptor;
  /** Undefined where the image's config does not say: then only the descriptor's digest vouches for the bytes. */
  readonly diffId: Digest | undefined;
  /** Of a layer that its registry does not hold (image-spec, "Non-Distributable Layers"): empty, and `readLayer` refuses it with words. */
  readonly bytes: ByteSource;
}

/** An image for one platform, whatever it came from. */
export interface ImageView {
  /** As it was asked for, without a secret: what provenance labels say. */
  readonly name: string;
  readonly manifest: { readonly descriptor: Descriptor; readonly bytes: Uint8Array };
  readonly config: ImageConfig;
  /** Lowest first. */
  readonly layers: readonly LayerBlob[];
}

export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "character" | "block" | "fifo";

/**
 * One tar entry, cleaned. Names are bytes as latin1 characters, one for one, never decoded as UTF-8.
 * `path` is relative, without "." and "..", without a slash at its end; "" is the root.
 */
export interface LayerEntry {
  readonly path: string;
  readonly type: EntryType;
  /** Permission bits and setuid, setgid, sticky: 0 to 0o7777. Of a symlink 0o777, as on Linux. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds, rounded down; may be negative or beyond 32 bits: formats clamp. */
  readonly mtimeSeconds: number;
  /** Of a file's content after sparse expansion; 0 for everything else. */
  readonly sizeBytes: number;
  /** Of a symlink as written; of a hard link the cleaned path in the root; else "". */
  readonly linkTarget: string;
  readonly device: Device | undefined;
  /** Those that an image may carry (`isKeptXattr`); undefined for none. */
  readonly xattrs: ReadonlyMap<string, Uint8Array> | undefined;
}

export interface Device {
  readonly major: number;
  readonly minor: number;
}

/** What takes something of the layers below away (image-spec, layer.md "Whiteouts"). Never an entry. */
export interface Whiteout {
  /** `whiteout` hides the path itself with all below it; `opaque` hides all that is below the folder, not the folder. */
  readonly kind: "whiteout" | "opaque";
  readonly path: string;
  /** How many entries of the layer stand before it: parents are resolved through symlinks as they are then. */
  readonly entriesBefore: number;
}

/** All headers of one layer, in the tar's order. */
export interface LayerIndex {
  readonly entries: readonly LayerEntry[];
  readonly whiteouts: readonly Whiteout[];
}

/** What `readLayer` calls, strictly in the tar's order and never two at once; a promise is back-pressure. What it throws ends the reading. */
export interface LayerVisitor {
  /** `index` is the entry's number in `LayerIndex.entries`. Says whether the content is wanted; asked of files alone, other types are told. */
  entry(entry: LayerEntry, index: number): "read" | "skip";
  /** The content of the last wanted file, in order; holes of a sparse file come as zeros. The bytes are valid only until it returns or its promise settles. */
  content(piece: Uint8Array): void | Promise<void>;
  /** The content of the last wanted file is complete (also of an empty one). */
  end?(): void | Promise<void>;
}

/** A node of an image's merged tree. A hard link is the same node under several names, `links` of them. */
export interface TreeNode {
  type: Exclude<EntryType, "hardlink">;
  mode: number;
  uid: number;
  gid: number;
  mtimeSeconds: number;
  xattrs: ReadonlyMap<string, Uint8Array> | undefined;
  /** Of a symlink, latin1; else "". */
  linkTarget: string;
  device: Device | undefined;
  links: number;
  sizeBytes: number;
  /** Of a file: which entry of which layer (lowest 0) holds its bytes, or the bytes themselves, where a format made it. */
  content: { readonly layer: number; readonly entry: number } | { readonly bytes: Uint8Array } | undefined;
  /** Of a folder, by latin1 name; else undefined. */
  children: Map<string, TreeNode> | undefined;
}

/** Where a format's bytes go. Positional, because headers come last. Nothing is visible under the final name before `finish`. */
export interface Sink {
  /** The bytes are not touched once the promise settles. One write at a time. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Cuts to `sizeBytes`, makes it durable, and gives it its name. */
  finish(sizeBytes: number): Promise<void>;
  /** Leaves nothing behind. Safe after `finish`. */
  abort(): Promise<void>;
}

/**
 * What a source's name points to, and everything that hangs on it. Manifests and blobs are checked against their digests: a blob's last byte is
 * given once all of it is right.
 */
export interface ImageContent {
  /** As it was asked for, without a secret. */
  readonly name: string;
  /** The index or the manifest that the name means. */
  readonly root: Descriptor;
  /** A manifest or an index. Throws MANIFEST_UNKNOWN where it is not there, DIGEST_INVALID, SIZE_INVALID, TOO_LARGE. */
  readManifest(context: Context, descriptor: Descriptor): Promise<Uint8Array>;
  /** What refers to a manifest: signatures, bills of materials. Not there where the source cannot say. */
  referrers?(context: Context, digest: string): Promise<readonly Descriptor[]>;
  /** A config or layer. Nothing is fetched before its first byte is read, or `prefetch` names it. */
  blob(descriptor: Descriptor): ByteSource;
  /** These blobs will be read, most urgent first. */
  prefetch(descriptors: readonly Descriptor[]): void;
  /** All that was read is whole and right. Throws what is not. */
  settle(): Promise<void>;
  /** After something was not as it should be: removes what lies damaged in the cache; how many blobs. */
  removeDamaged?(): Promise<number>;
  /** Stops what is on its way and closes what is open. */
  close(): Promise<void>;
}
