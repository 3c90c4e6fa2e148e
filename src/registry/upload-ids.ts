import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Principal } from "#access";
import { AppError, type Secret } from "#core";
import type { DigestAlgorithm } from "#oci";

/** An upload, as its id says. */
export interface UploadId {
  /** Name in the blob store. */
  readonly name: string;
  /** As it stands in the URL. */
  readonly text: string;
  readonly algorithm: DigestAlgorithm;
  readonly startedAt: number;
}

const ID = /^([0-9a-z]{1,10})-([25])-([A-Za-z0-9_-]{20})\.([A-Za-z0-9_-]{22})$/;

/**
 * Upload ids say and prove everything about an upload, so that starting one writes nothing: when it began, its algorithm, and, under the
 * seal, its repository and its principal (CVE-2026-32589: a session used from another repository).
 */
export function createUploadId(
  key: Secret,
  owner: { readonly repository: string; readonly principal: Principal },
  algorithm: DigestAlgorithm,
  now: number,
): UploadId {
  const digit = algorithm === "sha512" ? "5" : "2";
  const name = `${now.toString(36)}-${digit}-${randomBytes(15).toString("base64url")}`;
  const seal = sealOf(key, name, owner).toString("base64url");
  return { name, text: `${name}.${seal}`, algorithm, startedAt: now };
}

/** Reads an id; UPLOAD_UNKNOWN when it was not given to this principal for this repository. */
export function parseUploadId(
  key: Secret,
  owner: { readonly repository: string; readonly principal: Principal },
  text: string,
): UploadId {
  const match = ID.exec(text);
  const [, issued = "", digit, , seal = ""] = match ?? [];
  const name = text.slice(0, text.indexOf("."));
  if (match === null || !timingSafeEqual(sealOf(key, name, owner), Buffer.from(seal, "base64url")))
    throw new AppError("UPLOAD_UNKNOWN", "no such upload: it ended, expired or was never started here", {
      hint: "start the upload again",
    });
  return {
    name,
    text,
    algorithm: digit === "5" ? "sha512" : "sha256",
    startedAt: Number.parseInt(issued, 36),
  };
}

function sealOf(
  key: Secret,
  name: string,
  owner: { readonly repository: string; readonly principal: Principal },
): Buffer {
  return createHmac("sha256", key.reveal())
    .update(`${name}\n${owner.repository}\n${renderAccount(owner.principal)}`)
    .digest()
    .subarray(0, 16);
}

/** A principal as a key: the same for all its tokens, and no other's. */
export function renderAccount(principal: Principal): string {
  return principal.kind === "anonymous" ? "anonymous" : `${principal.kind} ${principal.id}`;
}
