import { AppError, type Context } from "#core";
import { jsonDepth } from "#oci";
import { openSourceFile } from "./cache/index.ts";
import type { ByteSource } from "./contract.ts";
import { isSif, readSif, type SifDescriptor, type SifFile } from "./formats/sif/read-sif.ts";
import { isSquashfs, readSuperblock, type SquashfsFacts } from "./formats/squashfs/read-superblock.ts";
import { readStretch } from "./read-stretch.ts";

/** What a file says that holds an image as runtimes run it. */
export type FileFacts =
  | { readonly kind: "squashfs"; readonly sizeBytes: number; readonly squashfs: SquashfsFacts }
  | {
      readonly kind: "sif";
      readonly sizeBytes: number;
      readonly sif: SifFile;
      /** Of its primary partition, where that is one. */
      readonly squashfs: SquashfsFacts | undefined;
      /** Its definition file, whole; undefined for none. */
      readonly definition: string | undefined;
      /** Objects of JSON by name, parsed: what Apptainer writes about the image. */
      readonly documents: Readonly<Record<string, unknown>>;
    };

const START_BYTES = 64;
/** Of all objects together, for many may lie in the same place; what goes beyond is listed and not read. */
const MAX_OBJECTS_BYTES = 8 * 1024 * 1024;
const MAX_JSON_DEPTH = 64;

/** undefined where the path is no regular file, or one that holds something else. Throws FILE_INVALID for a damaged one, PERMISSION_DENIED, STORAGE_FAILED. */
export async function inspectFile(context: Context, path: string): Promise<FileFacts | undefined> {
  const file = await openSourceFile(path).catch((cause: unknown) => {
    // A folder may be an OCI layout: it is not for us to say that it is nothing.
    if (cause instanceof AppError && cause.code === "INVALID_INPUT") return undefined;
    throw cause;
  });
  if (file === undefined) return undefined;
  try {
    const source = file.source();
    const start = await readStretch(source, 0, Math.min(START_BYTES, source.sizeBytes), context);
    if (isSquashfs(start))
      return {
        kind: "squashfs",
        sizeBytes: source.sizeBytes,
        squashfs: await readSuperblock(source, 0, context),
      };
    return isSif(start) ? await inspectSif(context, source) : undefined;
  } finally {
    await file.close();
  }
}

async function inspectSif(context: Context, source: ByteSource): Promise<FileFacts> {
  const sif = await readSif(source, context);
  let left = MAX_OBJECTS_BYTES;
  const readObject = async ({ offsetBytes, sizeBytes }: SifDescriptor): Promise<Uint8Array | undefined> => {
    if (sizeBytes > left) return undefined;
    left -= sizeBytes;
    return await readStretch(source, offsetBytes, sizeBytes, context);
  };
  const definition = sif.descriptors.find(({ type }) => type === "definition");
  const definitionBytes = definition === undefined ? undefined : await readObject(definition);
  const documents: Record<string, unknown> = {};
  for (const descriptor of sif.descriptors)
    if (descriptor.type === "json" && descriptor.name !== "") {
      const parsed = parseJson(await readObject(descriptor));
      if (parsed !== undefined)
        Object.defineProperty(documents, descriptor.name, {
          value: parsed,
          enumerable: true,
          configurable: true,
        });
    }
  const primary = sif.descriptors.find(({ partition }) => partition?.kind === "primary-system");
  return {
    kind: "sif",
    sizeBytes: source.sizeBytes,
    sif,
    squashfs:
      primary?.partition?.fileSystem === "squashfs"
        ? await readSuperblock(source, primary.offsetBytes, context)
        : undefined,
    definition: definitionBytes === undefined ? undefined : new TextDecoder().decode(definitionBytes),
    documents,
  };
}

/** undefined for what is no JSON, or nested deeper than anybody nests it: any program may have put it there. */
function parseJson(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined || jsonDepth(bytes) > MAX_JSON_DEPTH) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
