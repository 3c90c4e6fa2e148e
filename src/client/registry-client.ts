import type { Context } from "#core";
import { getBlobStretch } from "./blob-stretch.ts";
import { getBlob, hasBlob } from "./blobs.ts";
import { Connection } from "./connection.ts";
import type { RegistryClient, RegistryClientOptions } from "./contract.ts";
import { listRepositories, listTags, referrers } from "./lists.ts";
import { deleteManifest, getManifest, headManifest, putManifest } from "./manifests.ts";
import { type PullProbe, probePull } from "./probe-pull.ts";
import { type LoginProof, proveLogin } from "./prove-login.ts";
import { type RateLimit, readRateLimit } from "./rate-limit.ts";
import { mountBlob, uploadBlob } from "./uploads.ts";

/** A client that can also show what its login is worth. */
export interface LoginClient extends RegistryClient {
  /** See `proveLogin`: throws LOGIN_REFUSED, LOGIN_NOT_PROVED. */
  proveLogin(context: Context): Promise<LoginProof>;
  /** See `probePull`: a refusal is an answer. */
  probePull(context: Context, repository: string, key: string): Promise<PullProbe>;
  /** See `readRateLimit`: Docker Hub's alone. */
  readRateLimit(context: Context): Promise<RateLimit | undefined>;
}

/** A client of one registry with one login, or anonymous. Opens nothing until it is asked; remembers scheme and tokens. */
export function createRegistryClient(options: RegistryClientOptions): LoginClient {
  const connection = new Connection(options);
  return {
    registry: options.registry,
    ping: (context) => connection.ping(context),
    headManifest: (context, repository, key) => headManifest(context, connection, repository, key),
    getManifest: (context, repository, key) => getManifest(context, connection, repository, key),
    putManifest: (context, repository, manifest) => putManifest(context, connection, repository, manifest),
    deleteManifest: (context, repository, key) => deleteManifest(context, connection, repository, key),
    hasBlob: (context, repository, digest) => hasBlob(context, connection, repository, digest),
    getBlob: (context, repository, blob) => getBlob(context, connection, repository, blob),
    getBlobStretch: (context, repository, wanted) => getBlobStretch(context, connection, repository, wanted),
    uploadBlob: (context, repository, upload) => uploadBlob(context, connection, repository, upload),
    mountBlob: (context, repository, from, digest) =>
      mountBlob(context, connection, repository, { digest, mountFrom: from }),
    listTags: (context, repository) => listTags(context, connection, repository),
    listRepositories: (context) => listRepositories(context, connection),
    referrers: (context, repository, digest, artifactType) =>
      referrers(context, connection, repository, {
        digest,
        ...(artifactType === undefined ? {} : { artifactType }),
      }),
    proveLogin: (context) => proveLogin(context, connection),
    probePull: (context, repository, key) => probePull(context, connection, repository, key),
    readRateLimit: (context) => readRateLimit(context, connection),
  };
}
