import type { FetchedManifest, RegistryClient } from "#client";
import { AppError, type Context, isAppError } from "#core";
import {
  type Descriptor,
  isForeignLayer,
  MAX_MANIFEST_BYTES,
  manifestKey,
  parseManifest,
  type Reference,
} from "#oci";
import {
  type BlobCache,
  type BlobOrigin,
  type CacheFolder,
  readSmallBlob,
  writeSmallBlob,
} from "../cache/index.ts";
import type { ImageContent } from "../contract.ts";
import { createUrlOrigin, type UrlFetch } from "./url-origin.ts";

/** A registry that is asked for an image: the one of its name, or a mirror of it. */
export interface RegistryDoor {
  readonly client: RegistryClient;
  /** As this registry knows the repository. */
  readonly repository: string;
}

export interface RegistryParts {
  /** In the order in which they are asked; the last is the image's own. */
  readonly doors: readonly RegistryDoor[];
  readonly reference: Reference;
  readonly name: string;
  readonly folder: CacheFolder;
  readonly blobs: BlobCache;
  /** For layers that no registry holds. */
  readonly fetchUrl: UrlFetch;
}

/** What a HEAD of the name says: what is there, without a pull that a registry would count. */
export interface RegistryRoot {
  readonly door: RegistryDoor;
  readonly descriptor: Descriptor;
}

/**
 * Asks for the name, door by door. A mirror that fails is passed over with a warning; what the last one says is said. Throws MANIFEST_UNKNOWN, and
 * what the client throws.
 */
export async function findRegistryRoot(context: Context, parts: RegistryParts): Promise<RegistryRoot> {
  const { doors, reference, name } = parts;
  const key = manifestKey(reference);
  for (const [index, door] of doors.entries()) {
    const isLast = index === doors.length - 1;
    try {
      const descriptor = await askRoot(context, door, key, parts);
      if (descriptor !== undefined) return { door, descriptor };
      if (!isLast) context.log.info("a mirror does not have the image", { mirror: door.client.registry });
    } catch (cause) {
      if (isLast || isAppError(cause, "INTERRUPTED")) throw cause;
      context.log.warn("a mirror is passed over", {
        mirror: door.client.registry,
        why: (cause as Error).message,
      });
    }
  }
  throw new AppError("MANIFEST_UNKNOWN", `${name} is not there`, {
    hint: "check repository and tag; a registry may also hide what a login may not see",
  });
}

async function askRoot(
  context: Context,
  door: RegistryDoor,
  key: string,
  parts: RegistryParts,
): Promise<Descriptor | undefined> {
  const { client, repository } = door;
  const head = await client.headManifest(context, repository, key);
  if (head === undefined) return undefined;
  const { reference } = parts;
  if (reference.digest !== undefined && head.digest !== undefined && head.digest !== reference.digest)
    throw new AppError("DIGEST_INVALID", `${client.registry} speaks of another digest than was asked for`);
  const digest = reference.digest ?? head.digest;
  if (digest !== undefined && head.sizeBytes !== undefined)
    return descriptorOf(digest, head.sizeBytes, head.mediaType);
  // Some registries tell neither digest nor size without the whole.
  const found = await client.getManifest(context, repository, digest ?? key);
  if (found === undefined) return undefined;
  await writeSmallBlob(parts.folder, found.digest, found.bytes);
  return descriptorOf(found.digest, found.bytes.length, found.mediaType);
}

/** The image behind a name that was found. */
export function createRegistryContent(parts: RegistryParts, root: RegistryRoot): ImageContent {
  const { name, blobs, doors } = parts;
  // What knew the name has the blobs, most likely.
  const ordered = [root.door, ...doors.filter((door) => door !== root.door)];
  const origins = ordered.map(createDoorOrigin);
  return {
    name,
    root: root.descriptor,
    readManifest: (context, descriptor) => readManifest(context, parts, ordered, descriptor),
    referrers: (context, digest) => root.door.client.referrers(context, root.door.repository, digest),
    blob: (descriptor) =>
      blobs.blob(
        { digest: descriptor.digest, sizeBytes: descriptor.sizeBytes },
        isForeignLayer(descriptor) ? [...origins, createUrlOrigin(descriptor, parts.fetchUrl)] : origins,
      ),
    prefetch: (descriptors) => blobs.start(descriptors.map(({ digest }) => digest)),
    settle: () => blobs.settle(),
    removeDamaged: () => blobs.removeDamaged(),
    close: () => blobs.close(),
  };
}

async function readManifest(
  context: Context,
  { folder, name }: RegistryParts,
  doors: readonly RegistryDoor[],
  descriptor: Descriptor,
): Promise<Uint8Array> {
  const { digest, sizeBytes } = descriptor;
  if (sizeBytes > MAX_MANIFEST_BYTES)
    throw new AppError("TOO_LARGE", `a manifest of ${name} is larger than ${MAX_MANIFEST_BYTES} bytes`);
  const kept = await readSmallBlob(folder, digest, MAX_MANIFEST_BYTES);
  if (kept !== undefined) return checkedSize(kept, descriptor);
  const found = await firstManifest(context, doors, digest);
  if (found === undefined)
    throw new AppError("MANIFEST_UNKNOWN", `${name} names the manifest ${digest}, which is not there`, {
      hint: "the image for this platform was not pushed, or was deleted",
    });
  checkedSize(found.bytes, descriptor);
  // GHSA-qq97-vm5h-rrhg: what it came as and what it says it is must agree before anybody reads it from the cache, where only the bytes are left.
  parseManifest(found.bytes, found.mediaType ?? (descriptor.mediaType || undefined));
  await writeSmallBlob(folder, digest, found.bytes);
  return found.bytes;
}

async function firstManifest(
  context: Context,
  doors: readonly RegistryDoor[],
  digest: string,
): Promise<FetchedManifest | undefined> {
  for (const [index, { client, repository }] of doors.entries()) {
    try {
      const found = await client.getManifest(context, repository, digest);
      if (found !== undefined) return found;
    } catch (cause) {
      if (index === doors.length - 1 || isAppError(cause, "INTERRUPTED")) throw cause;
      context.log.warn("a mirror is passed over", { mirror: client.registry, why: (cause as Error).message });
    }
  }
  return undefined;
}

function createDoorOrigin(
  { client, repository }: RegistryDoor,
  index: number,
  all: readonly unknown[],
): BlobOrigin {
  return {
    async open(context, wanted) {
      try {
        return await client.getBlobStretch(context, repository, wanted);
      } catch (cause) {
        if (index === all.length - 1 || isAppError(cause, "INTERRUPTED")) throw cause;
        context.log.warn("a mirror is passed over", {
          mirror: client.registry,
          why: (cause as Error).message,
        });
        return undefined;
      }
    },
  };
}

function checkedSize(bytes: Uint8Array, { digest, sizeBytes }: Descriptor): Uint8Array {
  if (bytes.length === sizeBytes) return bytes;
  throw new AppError(
    "SIZE_INVALID",
    `the manifest ${digest} has ${bytes.length} bytes, it was said to have ${sizeBytes}`,
  );
}

function descriptorOf(digest: string, sizeBytes: number, mediaType: string | undefined): Descriptor {
  return { mediaType: mediaType ?? "", digest, sizeBytes, urls: [], annotations: {} };
}
