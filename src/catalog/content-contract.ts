import type { MaybePromise } from "./contract.ts";
import type { VisibleTo } from "./project-store.ts";

/** Where the bytes of a blob are: an object of the blob store, or the row itself. */
export type BlobPlace =
  | { readonly kind: "object"; readonly name: string; readonly sizeBytes: number }
  | { readonly kind: "inline"; readonly bytes: Uint8Array<ArrayBuffer> };

export interface ManifestRow {
  readonly digest: string;
  readonly mediaType: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** A manifest to be kept, parsed by the caller; `body` is stored and served byte for byte. */
export interface NewManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly body: Uint8Array;
  readonly artifactType: string | undefined;
  readonly subject: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  readonly references: readonly NewReference[];
}

export interface NewReference {
  readonly kind: "blob" | "manifest";
  readonly digest: string;
  /** The repository must hold it; not so for foreign layers. */
  readonly required: boolean;
}

/** Another form of an image that the registry made by itself. */
export type ConvertedFormat = "sif" | "sqsh";

/** A blob whose bytes are durable at `place`. */
export interface NewBlob {
  readonly digest: string;
  readonly place: BlobPlace;
}

/** That a manifest is made of another one: it goes with it. */
export interface Conversion {
  /** Digest of the image's manifest. */
  readonly source: string;
  readonly format: ConvertedFormat;
  /** What it takes of the disk. */
  readonly sizeBytes: number;
}

export interface ConversionTotals {
  readonly results: number;
  readonly sizeBytes: number;
}

/** What a referrers list says of a manifest. */
export interface ReferrerRow {
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/** Part of a list: what comes after a key, so that a deep page costs what the first does. */
export interface Page {
  readonly after: string | undefined;
  readonly limit: number;
}

export interface RepositorySummary {
  readonly name: string;
  readonly tags: number;
  readonly manifests: number;
  readonly createdAt: number;
}

/** What became of a deletion: `used` when something still refers to it. */
export type Deletion = "deleted" | "unknown" | "used";

/**
 * Repositories, blobs, manifests, tags, referrers. Repositories are full names (`project/path`). Decides nothing about who may.
 * Reads may be grouped by `Catalog.read`. Writes are durable when their promise resolves, and change what other processes remember.
 * Errors: PROJECT_UNKNOWN when the project of a repository to be made is not there, STORAGE_FULL, STORAGE_FAILED, BUSY.
 */
export interface ContentStore {
  /** undefined when the repository has no link to it, whoever else has. */
  findBlob(repository: string, digest: string): MaybePromise<BlobPlace | undefined>;
  findManifest(repository: string, digest: string): MaybePromise<ManifestRow | undefined>;
  findTag(repository: string, tag: string): MaybePromise<ManifestRow | undefined>;
  /** Tags after a tag, in lexical order regardless of case; undefined when there is no such repository. */
  listTags(repository: string, page: Page): MaybePromise<readonly string[] | undefined>;
  /** Names of the repositories that hold a manifest, in order; of the projects that the list's reader may pull from. */
  listRepositories(page: Page, visibleTo: VisibleTo): MaybePromise<readonly string[]>;
  /** Repositories of a project, in order of their names. */
  listProjectRepositories(project: string, page: Page): MaybePromise<readonly RepositorySummary[]>;
  /**
   * Manifests with this subject, in order of their digests; also when the subject itself is not there. Whoever pushed them chose how
   * long their annotations are: the list ends early, but with two rows at least, once those and the artifact types exceed `maxBytes`.
   */
  listReferrers(
    repository: string,
    subject: string,
    page: Page & { readonly artifactType: string | undefined; readonly maxBytes: number },
  ): MaybePromise<readonly ReferrerRow[]>;
  /** What was made of an image of this repository; undefined where nothing was yet. */
  findConversion(
    repository: string,
    source: string,
    format: ConvertedFormat,
  ): MaybePromise<ManifestRow | undefined>;
  /** What was made of the images of a project. */
  countConversions(project: string): MaybePromise<ConversionTotals>;
  /** Repositories that link to a blob, at most `limit`, for mounts. */
  listHolders(digest: string, limit: number): MaybePromise<readonly string[]>;

  /**
   * Links a repository to a blob whose bytes are durable at `place`. Where the blob was there already, its old bytes stay, and the
   * name of the object that is not needed is given back to be removed.
   */
  linkBlob(
    repository: string,
    digest: string,
    place: BlobPlace,
  ): Promise<{ readonly surplus: string | undefined }>;
  /**
   * Says that the bytes of a blob are at another place now, durable there: for a blob whose object was lost. What other repositories
   * remember of it is not touched.
   */
  moveBlob(repository: string, digest: string, place: BlobPlace): Promise<void>;
  /** Links a repository to a blob that another one holds; false when that one does not (any more). */
  mountBlob(repository: string, digest: string, from: string): Promise<boolean>;
  /**
   * Keeps a manifest and moves tags to it, in one commit. The same manifest again is no error.
   * Throws MANIFEST_BLOB_UNKNOWN naming the first required reference that the repository does not hold.
   */
  putManifest(repository: string, manifest: NewManifest, tags: readonly string[]): Promise<void>;
  /**
   * Keeps what was made of an image, its manifest and blobs, in one commit; it goes when the image goes or loses its last name. Not kept where
   * that has happened already. `surplus` names objects of `blobs` that nothing needs, to be removed. Throws as `putManifest`.
   */
  keepConversion(
    repository: string,
    result: { readonly manifest: NewManifest; readonly blobs: readonly NewBlob[] },
    conversion: Conversion,
  ): Promise<{ readonly kept: boolean; readonly surplus: readonly string[] }>;
  deleteTag(repository: string, tag: string): Promise<Deletion>;
  /** With all its tags. */
  deleteManifest(repository: string, digest: string): Promise<Deletion>;
  /** Removes the repository's link; `used` while one of its manifests points to the blob. */
  deleteBlob(repository: string, digest: string): Promise<Deletion>;
  /** All of a repository: its tags, manifests and links. One that becomes empty by other deletions goes by itself. */
  deleteRepository(repository: string): Promise<Deletion>;
}
