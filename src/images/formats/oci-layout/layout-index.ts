import { AppError } from "#core";
import { type Descriptor, MAX_MANIFEST_BYTES, mediaTypes, parseManifest } from "#oci";

/** An entry of a layout's index: what is in it under which name. */
export interface LayoutEntry {
  readonly descriptor: Descriptor;
  /** A tag, or a whole image's name where a layout holds images of several repositories; undefined for none. */
  readonly name: string | undefined;
}

/** The file that says that a folder is a layout (image-spec, image-layout.md). */
export const LAYOUT_FILE = '{"imageLayoutVersion":"1.0.0"}';

/** How an image's name is written in an index (image-spec, annotations.md), and what containerd reads it from. */
const REF_NAME = "org.opencontainers.image.ref.name";
const CONTAINERD_NAME = "io.containerd.image.name";

/**
 * `index.json` with these entries added to those of `current`, where there is one: an entry of the same name is replaced, all else stays as it is.
 * Throws IMAGE_INVALID for a current file that is no index.
 */
export function renderLayoutIndex(
  entries: readonly LayoutEntry[],
  current?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const kept = current === undefined ? { manifests: [] } : parseCurrent(current);
  const names = new Set(entries.map(({ name }) => name));
  const digests = new Set(entries.map(({ descriptor }) => descriptor.digest));
  const others = kept.manifests.filter(({ annotations, digest }) => {
    const name = annotations?.[REF_NAME];
    return name === undefined ? !digests.has(digest) : !names.has(name);
  });
  const index = {
    ...kept,
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [...others, ...entries.map(renderEntry)],
  };
  return new TextEncoder().encode(JSON.stringify(index));
}

interface CurrentIndex {
  readonly manifests: readonly {
    readonly digest: string;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

function parseCurrent(bytes: Uint8Array): CurrentIndex {
  if (bytes.length > MAX_MANIFEST_BYTES)
    throw new AppError("TOO_LARGE", "the layout's index.json is too large");
  // It is checked as any index; the text itself keeps what we do not know.
  if (parseManifest(bytes, mediaTypes.ociIndex).kind !== "index")
    throw new AppError("IMAGE_INVALID", "the layout's index.json is no index");
  const { manifests, ...rest } = JSON.parse(new TextDecoder().decode(bytes)) as {
    readonly manifests?: CurrentIndex["manifests"] | null;
  };
  return { ...rest, manifests: manifests ?? [] };
}

function renderEntry({ descriptor, name }: LayoutEntry): unknown {
  const { mediaType, digest, sizeBytes, platform, artifactType } = descriptor;
  const isImageName = name !== undefined && /^[^/]*[.:][^/]*\/.*:[^/:]+$/.test(name);
  return {
    mediaType,
    digest,
    size: sizeBytes,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(platform === undefined ? {} : { platform: renderPlatform(platform) }),
    ...(name === undefined
      ? {}
      : { annotations: { ...(isImageName ? { [CONTAINERD_NAME]: name } : {}), [REF_NAME]: name } }),
  };
}

function renderPlatform({
  os,
  architecture,
  variant,
  osVersion,
}: NonNullable<Descriptor["platform"]>): unknown {
  return {
    architecture,
    os,
    ...(osVersion === undefined ? {} : { "os.version": osVersion }),
    ...(variant === undefined ? {} : { variant }),
  };
}
