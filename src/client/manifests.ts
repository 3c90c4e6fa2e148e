import { AppError, type Context } from "#core";
import {
  type DigestAlgorithm,
  digestOf,
  isDigest,
  MAX_MANIFEST_BYTES,
  manifestAccept,
  mediaTypeEssence,
  parseDigest,
} from "#oci";
import type { Connection } from "./connection.ts";
import type { FetchedManifest, ManifestHead, ManifestUpload, RegistryAnswer } from "./contract.ts";
import { pullScope, pushScope } from "./scopes.ts";

// What servers send when they do not know; the body then says its type itself.
const VAGUE = new Set(["application/json", "application/octet-stream", "text/plain", "text/html"]);

export async function headManifest(
  context: Context,
  connection: Connection,
  repository: string,
  key: string,
): Promise<ManifestHead | undefined> {
  const answer = await askManifest(context, connection, { method: "HEAD", repository, key });
  await answer.discard();
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) {
    // An answer to HEAD has no body; a GET says why (containerd does the same).
    const again = await askManifest(context, connection, { method: "GET", repository, key });
    if (again.status === 200) return headOf(again, await discarded(again));
    throw await connection.refusal(again, `pull ${repository}`);
  }
  return headOf(answer, answer.headers.get("content-length"));
}

export async function getManifest(
  context: Context,
  connection: Connection,
  repository: string,
  key: string,
): Promise<FetchedManifest | undefined> {
  const answer = await askManifest(context, connection, { method: "GET", repository, key });
  if (answer.status === 404) {
    await answer.discard();
    return undefined;
  }
  if (answer.status !== 200) throw await connection.refusal(answer, `pull ${repository}`);
  const bytes = await answer.readBytes(MAX_MANIFEST_BYTES);
  const said = answer.headers.get("docker-content-digest");
  const expected = isDigest(key) ? key : said !== null && isDigest(said) ? said : undefined;
  const digest = digestOf(bytes, expected === undefined ? "sha256" : algorithmOf(expected));
  if (expected !== undefined && digest !== expected) {
    throw new AppError("DIGEST_INVALID", `${connection.registry} sent a manifest of another digest`, {
      hint: "something between here and the registry changed it, or its storage is damaged",
      details: { registry: connection.registry, expected, digest },
    });
  }
  const mediaType = mediaTypeEssence(answer.headers.get("content-type"));
  return {
    bytes,
    digest,
    mediaType: mediaType === undefined || VAGUE.has(mediaType) ? undefined : mediaType,
  };
}

export async function putManifest(
  context: Context,
  connection: Connection,
  repository: string,
  manifest: ManifestUpload,
): Promise<string> {
  const digest = digestOf(manifest.bytes);
  const answer = await connection.send(context, {
    method: "PUT",
    url: manifestPath(repository, manifest.tag ?? digest),
    scopes: [pushScope(repository)],
    headers: { "content-type": manifest.mediaType },
    body: manifest.bytes,
    isRepeatable: true,
  });
  // ggcr takes 200 and 202 too: some registries send them.
  if (![200, 201, 202].includes(answer.status)) throw await connection.refusal(answer, `push ${repository}`);
  await answer.discard();
  const said = answer.headers.get("docker-content-digest");
  if (said !== null && isDigest(said)) {
    const ours = digestOf(manifest.bytes, algorithmOf(said));
    if (ours !== said) {
      throw new AppError("DIGEST_INVALID", `${connection.registry} stored another manifest than was sent`, {
        details: { registry: connection.registry, expected: ours, digest: said },
      });
    }
  }
  return digest;
}

export async function deleteManifest(
  context: Context,
  connection: Connection,
  repository: string,
  key: string,
): Promise<boolean> {
  const answer = await connection.send(context, {
    method: "DELETE",
    url: manifestPath(repository, key),
    scopes: [`repository:${repository}:pull,delete`],
    isRepeatable: true,
  });
  if (answer.status !== 404 && !isSuccess(answer)) {
    throw await connection.refusal(answer, `delete from ${repository}`);
  }
  await answer.discard();
  return answer.status !== 404;
}

/** HEAD or GET of a manifest, of any type; the answer as it is. */
export function askManifest(
  context: Context,
  connection: Connection,
  wanted: { readonly method: "HEAD" | "GET"; readonly repository: string; readonly key: string },
): Promise<RegistryAnswer> {
  return connection.send(context, {
    method: wanted.method,
    url: manifestPath(wanted.repository, wanted.key),
    scopes: [pullScope(wanted.repository)],
    headers: { accept: manifestAccept.join(", ") },
    isRepeatable: true,
  });
}

function manifestPath(repository: string, key: string): string {
  return `/v2/${repository}/manifests/${key}`;
}

function headOf(answer: RegistryAnswer, length: string | null): ManifestHead {
  const digest = answer.headers.get("docker-content-digest") ?? "";
  const mediaType = mediaTypeEssence(answer.headers.get("content-type"));
  return {
    digest: isDigest(digest) ? digest : undefined,
    mediaType: mediaType === undefined || VAGUE.has(mediaType) ? undefined : mediaType,
    sizeBytes: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
  };
}

async function discarded(answer: RegistryAnswer): Promise<string | null> {
  await answer.discard();
  return answer.headers.get("content-length");
}

function algorithmOf(digest: string): DigestAlgorithm {
  return parseDigest(digest).algorithm;
}

function isSuccess(answer: RegistryAnswer): boolean {
  return answer.status >= 200 && answer.status < 300;
}
