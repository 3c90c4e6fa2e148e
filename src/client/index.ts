/** Speaks to any registry: scheme, challenge, token, retry, redirect, upload, download; proves a login. */
export type {
  AuthScheme,
  BlobStretch,
  BlobStretchWanted,
  BlobUpload,
  BlobWanted,
  Credentials,
  FetchedBlob,
  FetchedManifest,
  ManifestHead,
  ManifestUpload,
  Ping,
  RegistryClient,
  RegistryClientOptions,
} from "./contract.ts";
export type { PullProbe } from "./probe-pull.ts";
export type { LoginProof } from "./prove-login.ts";
export type { RateLimit } from "./rate-limit.ts";
export { createRegistryClient, type LoginClient } from "./registry-client.ts";
