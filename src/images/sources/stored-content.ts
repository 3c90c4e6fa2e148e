import { AppError, type Context } from "#core";
import { type Descriptor, digestOf, MAX_MANIFEST_BYTES, parseDigest } from "#oci";
import type { BlobAddress } from "../cache/index.ts";
import { createVerifiedSource } from "../cache/verified-source.ts";
import type { ByteSource, ImageContent } from "../contract.ts";
import { readStretch } from "../read-stretch.ts";

/** Blobs that lie on this machine. */
export interface StoredBlobs {
  /** undefined where it is not there. */
  find(address: BlobAddress): Promise<ByteSource | undefined>;
  close(): Promise<void>;
}

/** The content behind a descriptor of a layout or an archive: every blob is held against its digest. */
export function createStoredContent(name: string, root: Descriptor, blobs: StoredBlobs): ImageContent {
  return {
    name,
    root,
    readManifest: (context, descriptor) => readManifest(context, name, blobs, descriptor),
    blob: (descriptor) => lazySource(descriptor, blobs),
    prefetch() {},
    settle: () => Promise.resolve(),
    close: () => blobs.close(),
  };
}

async function readManifest(
  context: Context,
  name: string,
  blobs: StoredBlobs,
  descriptor: Descriptor,
): Promise<Uint8Array> {
  const { digest, sizeBytes } = descriptor;
  if (sizeBytes > MAX_MANIFEST_BYTES)
    throw new AppError("TOO_LARGE", `a manifest of ${name} is larger than ${MAX_MANIFEST_BYTES} bytes`);
  const source = await blobs.find(descriptor);
  if (source === undefined)
    throw new AppError("MANIFEST_UNKNOWN", `${name} names the manifest ${digest}, which is not in it`);
  if (source.sizeBytes !== sizeBytes)
    throw new AppError(
      "SIZE_INVALID",
      `the manifest ${digest} has ${source.sizeBytes} bytes, it was said to have ${sizeBytes}`,
    );
  const bytes = await readStretch(source, 0, sizeBytes, context);
  if (digestOf(bytes, parseDigest(digest).algorithm) !== digest)
    throw new AppError("DIGEST_INVALID", `what lies there as the manifest ${digest} has another digest`);
  return bytes;
}

function lazySource(descriptor: Descriptor, blobs: StoredBlobs): ByteSource {
  const { digest, sizeBytes } = descriptor;
  let opened: Promise<ByteSource> | undefined;
  const open = async (): Promise<ByteSource> => {
    const found = await blobs.find({ digest, sizeBytes });
    if (found !== undefined) return createVerifiedSource(found, { digest, sizeBytes });
    throw new AppError("BLOB_UNKNOWN", `the blob ${digest} is not where its manifest is`, {
      ...(descriptor.urls.length === 0
        ? {}
        : { hint: "its maker keeps it elsewhere: pull the image from its registry" }),
      details: { digest },
    });
  };
  return {
    sizeBytes,
    async read(offset, length, context) {
      opened ??= open();
      return (await opened).read(offset, length, context);
    },
  };
}
