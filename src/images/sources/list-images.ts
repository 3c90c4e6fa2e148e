import { AppError, type Context } from "#core";
import type { CacheFolder } from "../cache/index.ts";
import { openArchive } from "./archive-file.ts";
import { listSavedImages } from "./docker-archive-content.ts";
import { listLayoutImages, openFolderFiles } from "./layout-content.ts";
import type { ImageSource } from "./parse-source.ts";

/** Every image of a layout or an archive as a source of its own. Throws USAGE for a source that holds one image, and as `openSource`. */
export async function listImages(
  context: Context,
  source: ImageSource,
  cache: CacheFolder,
): Promise<readonly ImageSource[]> {
  if (!("path" in source) || source.image !== undefined)
    throw new AppError("USAGE", `${source.text} is one image`, {
      hint: "--all takes oci:FOLDER, oci-archive:FILE or docker-archive:FILE",
    });
  const names = await namesIn(context, source, cache);
  if (names.length === 0) throw new AppError("MANIFEST_UNKNOWN", `${source.text} holds no image with a name`);
  return names.map((image) => ({
    ...source,
    text: `${source.text}${/^sha(?:256|512):/.test(image) ? "@" : ":"}${image}`,
    image,
  }));
}

async function namesIn(
  context: Context,
  { kind, path, text }: Extract<ImageSource, { readonly path: string }>,
  cache: CacheFolder,
): Promise<readonly string[]> {
  if (kind === "oci-layout") {
    const files = openFolderFiles(path);
    try {
      return await listLayoutImages(context, files, text);
    } finally {
      await files.close();
    }
  }
  const archive = await openArchive(context, path, cache);
  try {
    if (kind === "docker-archive") return await listSavedImages(context, archive, text);
    const files = { ...archive, open: async (name: string) => archive.find(name) };
    return await listLayoutImages(context, files, text);
  } finally {
    await archive.close();
  }
}
