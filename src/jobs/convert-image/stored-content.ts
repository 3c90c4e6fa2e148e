import type { BlobStore } from "#blobs";
import type { BlobPlace, ContentStore, ManifestRow } from "#catalog";
import { AppError, type Context } from "#core";
import type { ByteSource, ImageContent } from "#images";
import type { Descriptor } from "#oci";

/** The image of a manifest as this registry holds it: read where it lies, through the links of its own repository. */
export function createStoredContent(
  parts: { readonly content: ContentStore; readonly blobs: BlobStore },
  repository: string,
  manifest: ManifestRow,
): ImageContent {
  const { content, blobs } = parts;
  return {
    name: `${repository}@${manifest.digest}`,
    root: {
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      sizeBytes: manifest.body.length,
      urls: [],
      annotations: {},
    },
    async readManifest(_, { digest }) {
      const found = await content.findManifest(repository, digest);
      if (found !== undefined) return found.body;
      throw new AppError("MANIFEST_UNKNOWN", `the repository holds no manifest ${digest}`);
    },
    blob: (descriptor) =>
      createStoredBytes(blobs, descriptor, () => content.findBlob(repository, descriptor.digest)),
    prefetch() {},
    settle: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function createStoredBytes(
  blobs: BlobStore,
  { digest, sizeBytes }: Descriptor,
  find: () => BlobPlace | undefined | Promise<BlobPlace | undefined>,
): ByteSource {
  let place: BlobPlace | undefined;
  return {
    sizeBytes,
    async read(offset, length, context) {
      stopWhenAsked(context);
      place ??= await find();
      // A layer that is had from elsewhere, or bytes that were lost.
      if (place === undefined || (place.kind === "object" && !(await blobs.has(place))))
        throw new AppError("BLOB_UNKNOWN", `the repository does not hold the bytes of ${digest}`, {
          hint: "push the image again",
        });
      const found = place.kind === "inline" ? place.bytes.length : place.sizeBytes;
      if (found !== sizeBytes)
        throw new AppError("SIZE_INVALID", `${digest} has ${found} bytes, its manifest says ${sizeBytes}`);
      const end = Math.min(sizeBytes, offset + length);
      return place.kind === "inline"
        ? place.bytes.subarray(offset, end)
        : new Uint8Array(await blobs.open(place, offset, end).arrayBuffer());
    },
  };
}

function stopWhenAsked({ signal }: Context): void {
  if (signal.aborted) throw new AppError("INTERRUPTED", "the conversion was stopped");
}
