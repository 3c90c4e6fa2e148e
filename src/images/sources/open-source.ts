import type { RegistryClient } from "#client";
import { AppError, type Context } from "#core";
import { parseReference, type Reference } from "#oci";
import { type BlobCacheOptions, type CacheFolder, openBlobCache } from "../cache/index.ts";
import type { ImageContent } from "../contract.ts";
import { openArchive } from "./archive-file.ts";
import { openDockerArchiveContent } from "./docker-archive-content.ts";
import { type DaemonSurroundings, openDaemonArchive } from "./docker-daemon.ts";
import { openFolderFiles, openLayoutContent } from "./layout-content.ts";
import type { ImageSource } from "./parse-source.ts";
import { createRegistryContent, findRegistryRoot, type RegistryDoor } from "./registry-content.ts";
import type { UrlFetch } from "./url-origin.ts";

/** What opening a source needs of the world around it. */
export interface SourceSurroundings {
  readonly cache: CacheFolder;
  readonly transfer?: BlobCacheOptions;
  /** A client of the reference's registry, with the login for this very image, or anonymous. */
  readonly openRegistry: (context: Context, reference: Reference) => Promise<RegistryClient>;
  /** `host[:port][/prefix]` each, asked in this order before an image's own registry. */
  readonly mirrors?: readonly string[];
  /** Asks for foreign layers where their makers keep them. */
  readonly fetchUrl: UrlFetch;
  readonly daemon: DaemonSurroundings;
}

/** Finds what a source's name means; layers come when they are read. `close` it. Throws what the source throws, NOT_FOUND for no such file. */
export async function openSource(
  context: Context,
  source: ImageSource,
  surroundings: SourceSurroundings,
): Promise<ImageContent> {
  const { cache } = surroundings;
  switch (source.kind) {
    case "registry":
    case "artifact":
      return openRegistrySource(context, source, surroundings);
    case "oci-layout":
      return closing(openFolderFiles(source.path), (files) =>
        openLayoutContent(context, files, named(source)),
      );
    case "oci-archive":
      return closing(await openArchive(context, source.path, cache), (archive) =>
        openLayoutContent(context, { ...archive, open: async (path) => archive.find(path) }, named(source)),
      );
    case "docker-archive":
      return closing(await openArchive(context, source.path, cache), (archive) =>
        openDockerArchiveContent(context, archive, named(source)),
      );
    case "docker-daemon":
      return closing(
        await openDaemonArchive(context, source.reference, cache, surroundings.daemon),
        (archive) => openDockerArchiveContent(context, archive, { name: source.text, image: undefined }),
      );
  }
}

/** What was opened is closed where `work` fails. */
async function closing<T extends { close(): Promise<void> }>(
  opened: T,
  work: (opened: T) => Promise<ImageContent>,
): Promise<ImageContent> {
  try {
    return await work(opened);
  } catch (cause) {
    await opened.close();
    throw cause;
  }
}

function named({ text, image }: { readonly text: string; readonly image: string | undefined }): {
  readonly name: string;
  readonly image: string | undefined;
} {
  return { name: text, image };
}

async function openRegistrySource(
  context: Context,
  source: Extract<ImageSource, { readonly reference: Reference }>,
  surroundings: SourceSurroundings,
): Promise<ImageContent> {
  const { reference } = source;
  const mirrored = (surroundings.mirrors ?? []).map((mirror) => mirrorOf(mirror, reference));
  const doors: RegistryDoor[] = [];
  for (const each of [...mirrored, reference])
    doors.push({ client: await surroundings.openRegistry(context, each), repository: each.repository });
  const parts = {
    doors,
    reference,
    name: source.text,
    folder: surroundings.cache,
    blobs: openBlobCache(context, surroundings.cache, surroundings.transfer),
    fetchUrl: surroundings.fetchUrl,
  };
  return createRegistryContent(parts, await findRegistryRoot(context, parts));
}

/** The image as a mirror knows it: the same repository there, below the prefix where one is given. */
function mirrorOf(mirror: string, reference: Reference): Reference {
  const { tag, digest } = reference;
  const named = parseReference(`${mirror.replace(/\/+$/, "")}/${reference.repository}`);
  if (named.registry === "docker.io" && !/^(?:index\.)?docker\.io\b/.test(mirror))
    throw new AppError("INVALID_INPUT", `${JSON.stringify(mirror.slice(0, 100))} is not a registry`, {
      hint: "write a mirror as host[:port][/prefix]",
    });
  return { ...named, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}
