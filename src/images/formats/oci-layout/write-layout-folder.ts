import { mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError, type Context } from "#core";
import { MAX_MANIFEST_BYTES } from "#oci";
import { readFileLimited, systemErrorCode, toStorageError, withFileLock, writeFileDurable } from "#system";
import { inParallel } from "../../copy/in-parallel.ts";
import { piecesOf } from "../../layers/source-pieces.ts";
import { createLocalFileSink } from "../../sinks/local-file.ts";
import { LAYOUT_FILE, renderLayoutIndex } from "./layout-index.ts";
import {
  blobPath,
  blobsOf,
  entriesOf,
  type LayoutBlob,
  type LayoutItem,
  refuseSameNames,
} from "./layout-item.ts";

const WRITERS = 4;

/**
 * Adds images to an OCI layout, which is made where there is none: original bytes, blobs that are there already left alone, `index.json` last, so that
 * it never names what is not there. Several may write at once. Throws ALREADY_EXISTS for a folder that holds something else, what the contents throw,
 * STORAGE_FULL, PERMISSION_DENIED, STORAGE_FAILED.
 */
export async function writeLayoutFolder(
  items: readonly LayoutItem[],
  folder: string,
  context: Context,
): Promise<{ readonly sizeBytes: number }> {
  refuseSameNames(items);
  await openLayout(folder);
  const blobs = blobsOf(items);
  const folders = new Set(blobs.map(({ descriptor }) => dirname(blobPath(descriptor.digest))));
  for (const path of folders) await made(join(folder, path));
  let sizeBytes = 0;
  await inParallel(blobs, WRITERS, async (blob) => {
    sizeBytes += await writeBlob(folder, blob, context);
  });
  const index = join(folder, "index.json");
  const entries = entriesOf(items);
  await withFileLock(context, join(folder, ".index.lock"), async () => {
    const current = await readFileLimited(index, MAX_MANIFEST_BYTES);
    await writeFileDurable(index, renderLayoutIndex(entries, current), { mode: 0o644 });
  });
  return { sizeBytes };
}

/** Bytes that were written: none for a blob that is there. */
async function writeBlob(
  folder: string,
  { descriptor, source }: LayoutBlob,
  context: Context,
): Promise<number> {
  const path = join(folder, blobPath(descriptor.digest));
  if ((await sizeOf(path)) === source.sizeBytes) return 0;
  const sink = await createLocalFileSink(path, { mode: 0o644 });
  try {
    let offset = 0;
    for await (const piece of piecesOf(source, context)) {
      await sink.write(offset, piece);
      offset += piece.length;
    }
    await sink.finish(offset);
    return offset;
  } catch (cause) {
    await sink.abort();
    throw cause;
  }
}

async function openLayout(folder: string): Promise<void> {
  await made(folder);
  const file = join(folder, "oci-layout");
  if ((await sizeOf(file)) !== undefined) return;
  try {
    if ((await readdir(folder)).length > 0)
      throw new AppError("ALREADY_EXISTS", `${folder} holds something that is no OCI layout`, {
        hint: "name another folder",
      });
  } catch (cause) {
    throw toStorageError(cause, `looking into ${folder}`);
  }
  await writeFileDurable(file, LAYOUT_FILE, { mode: 0o644 });
}

async function made(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw toStorageError(cause, `making ${folder}`);
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw toStorageError(cause, `looking at ${path}`);
  }
}
