import type { RegistryLimits } from "./contract.ts";

const MIB = 1024 * 1024;

/** What a registry allows unless it is told otherwise. */
export const defaultRegistryLimits: RegistryLimits = {
  maxBlobBytes: 1024 * 1024 * MIB,
  maxMemoryBodyBytes: 64 * 1024,
  maxInlineBlobBytes: 16 * 1024,
  maxActiveUploads: 256,
  uploadLifeSeconds: 24 * 3600,
  // Below the minute that proxies give an answer; clients ask three to six times (decision 020).
  conversionWaitSeconds: 25,
  maxAnswerBytes: 16 * MIB,
};

/** Entries of a page: asked for less is given, asked for more is cut (CVE-2023-2253). */
export const MAX_PAGE = 1000;
/** Tags of one `?tag=` push. */
export const MAX_TAGS_PER_PUSH = 100;
/** A page of referrers is cut here: clients read manifests and lists to 4 MiB. */
export const MAX_REFERRERS_BYTES = 4_000_000;
/** Form of a token request. */
export const MAX_TOKEN_FORM_BYTES = 16 * 1024;
export const MAX_SCOPES = 100;
