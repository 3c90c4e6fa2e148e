import type { Context, Secret } from "#core";
import type { Descriptor } from "#oci";
import type { Fetch, FetchAnswer } from "#system";

/** The login that a client shows to its registry. */
export interface Credentials {
  readonly username: string;
  readonly secret: Secret;
  /** The secret is an OAuth2 refresh token, to be exchanged by POST (docker's `identitytoken`). */
  readonly identityToken?: boolean;
}

export interface RegistryClientOptions {
  /** Canonical `host[:port]`, Docker Hub as `docker.io`. */
  readonly registry: string;
  /** Speak HTTP without TLS. Registries on this machine are tried with TLS and then without, unasked. */
  readonly plainHttp?: boolean;
  /** Without: anonymous. */
  readonly credentials?: Credentials;
  /** The private CA of the registry and its token endpoint, PEM. */
  readonly ca?: string;
  /**
   * Hosts (without port) that may be asked for a token with these credentials; CVE-2026-33540: an upstream names its own realm.
   * Without: whichever the registry names, over TLS where the registry has it.
   */
  readonly realmHosts?: readonly string[];
  readonly fetch: Fetch;
  /** Replaced in tests: how a pause between attempts is made. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now?: () => number;
}

/** How a registry asks for a login. */
export type AuthScheme =
  | { readonly kind: "none" }
  | { readonly kind: "basic" }
  | { readonly kind: "bearer"; readonly realm: URL; readonly service: string | undefined };

/** What `GET /v2/` says. */
export interface Ping {
  /** `https://host[:port]` or `http://…`, without a slash at the end. */
  readonly base: string;
  readonly auth: AuthScheme;
  /** Hosts of the token endpoints, without port; empty unless Bearer. For curl's netrc under Enroot. */
  readonly realmHosts: readonly string[];
}

/** One request to the registry; `url` is a path under the base, or absolute where a Location said so. */
export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string | Blob | ReadableStream<Uint8Array>;
  readonly answerTimeoutMs?: number;
  /** Sending it twice does what sending it once does, so it is repeated after 5xx answers and cut connections. */
  readonly isRepeatable: boolean;
  /** The body holds a secret: no redirect takes it to another origin. */
  readonly isSecret?: boolean;
}

/** An answer, and the URL that gave it: relative Locations begin there. */
export interface RegistryAnswer extends FetchAnswer {
  readonly url: string;
}

export interface ManifestHead {
  /** As the registry says; undefined where it says none (HEAD alone cannot know it). */
  readonly digest: string | undefined;
  readonly mediaType: string | undefined;
  readonly sizeBytes: number | undefined;
}

export interface FetchedManifest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Computed from the bytes. */
  readonly digest: string;
  /** The Content-Type without parameters; undefined where it says nothing ("application/json" …): the body decides. */
  readonly mediaType: string | undefined;
}

export interface FetchedBlob {
  readonly sizeBytes: number | undefined;
  /** Resumed where it is cut off. Fails with DIGEST_INVALID or SIZE_INVALID instead of ending where the content is not what was asked for. */
  readonly body: ReadableStream<Uint8Array>;
}

/** Where in a blob to begin, and how far to go. */
export interface BlobStretchWanted {
  readonly digest: string;
  /** Of the whole blob. */
  readonly sizeBytes: number;
  readonly offset: number;
  readonly lengthBytes: number;
}

export interface BlobStretch {
  /** Where the body begins: the offset that was asked for, or 0 where the registry gives the whole blob, whatever is asked. */
  readonly from: number;
  /** Where it ends, that byte not included: the stretch's end, or the blob's. */
  readonly to: number;
  /** All of these bytes, or it throws. Not checked against the digest. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface BlobUpload {
  readonly digest: string;
  readonly sizeBytes: number;
  /** A Blob (`Bun.file` too) can be sent in chunks and resumed; a stream is sent once, in one request. */
  readonly content: Blob | ReadableStream<Uint8Array>;
  /** Send in chunks of this many bytes (more where the registry asks for it). */
  readonly chunkBytes?: number;
  /** A repository of the same registry that holds the blob: nothing is sent where the registry can mount it. */
  readonly mountFrom?: string;
}

/**
 * Speaks to one registry. What is not there is `undefined` or `false`. Errors: UNREACHABLE, TLS_FAILED, INTERRUPTED,
 * UNAUTHORIZED (no login was given), LOGIN_REFUSED (one was), DENIED, TOO_MANY_REQUESTS, REGISTRY_FAILED, DIGEST_INVALID, SIZE_INVALID,
 * TOO_LARGE; their `details` hold `registry`, `status`, and the registry's own `reason` (OCI code) and `registryMessage`.
 * `key` is a tag or a digest.
 */
export interface RegistryClient {
  readonly registry: string;
  ping(context: Context): Promise<Ping>;
  headManifest(context: Context, repository: string, key: string): Promise<ManifestHead | undefined>;
  getManifest(context: Context, repository: string, key: string): Promise<FetchedManifest | undefined>;
  /** Gives the digest. */
  putManifest(context: Context, repository: string, manifest: ManifestUpload): Promise<string>;
  deleteManifest(context: Context, repository: string, key: string): Promise<boolean>;
  hasBlob(context: Context, repository: string, digest: string): Promise<boolean>;
  getBlob(context: Context, repository: string, blob: BlobWanted): Promise<FetchedBlob | undefined>;
  /** For several connections at once, and to go on where an earlier program stopped. */
  getBlobStretch(
    context: Context,
    repository: string,
    wanted: BlobStretchWanted,
  ): Promise<BlobStretch | undefined>;
  uploadBlob(
    context: Context,
    repository: string,
    upload: BlobUpload,
  ): Promise<"present" | "mounted" | "sent">;
  /** True when the blob is now in the repository; false when the registry would not mount it. */
  mountBlob(context: Context, repository: string, from: string, digest: string): Promise<boolean>;
  listTags(context: Context, repository: string): Promise<readonly string[] | undefined>;
  /** undefined where the registry has no catalog. */
  listRepositories(context: Context): Promise<readonly string[] | undefined>;
  /** By the referrers API, else by the fallback tag; empty where nothing refers. */
  referrers(
    context: Context,
    repository: string,
    digest: string,
    artifactType?: string,
  ): Promise<readonly Descriptor[]>;
}

export interface ManifestUpload {
  /** A tag; without it the manifest is stored by its digest alone. */
  readonly tag?: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
}

export interface BlobWanted {
  readonly digest: string;
  /** From the descriptor: more or fewer bytes are an error. */
  readonly sizeBytes?: number;
}
