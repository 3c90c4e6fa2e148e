import type { ConvertedFormat, ConvertFormats, ManifestRow } from "#catalog";
import { type Descriptor, type Manifest, mediaTypes, parseManifest } from "#oci";

const IMAGE_CONFIGS: ReadonlySet<string> = new Set([mediaTypes.ociConfig, mediaTypes.dockerConfig]);
const OS = "linux";
/** What `TAG.sif` is of where the image is there for several platforms. */
const USUAL = "amd64";

/** Parses what is stored: it was valid when it was pushed. */
export function parseStored(row: ManifestRow): Manifest {
  return parseManifest(row.body, row.mediaType);
}

/** True for what can be unpacked: no index, no artifact. */
export function isImage(manifest: Manifest): boolean {
  return manifest.kind !== "index" && IMAGE_CONFIGS.has(manifest.config?.mediaType ?? "");
}

/** The images of an index that could be converted: of Linux, with no attestation among them (BuildKit's have no known platform). */
export function linuxImages(index: Manifest): readonly Descriptor[] {
  if (index.kind !== "index") return [];
  return index.manifests.filter(
    ({ platform, annotations }) =>
      platform?.os === OS &&
      platform.architecture !== "unknown" &&
      annotations["vnd.docker.reference.type"] === undefined,
  );
}

/** Of an index's images the one for an architecture (Go's name, `arm-v7` with its variant); where none is said, for amd64 or the only one. */
export function chooseImage(index: Manifest, architecture: string | undefined): Descriptor | undefined {
  const images = linuxImages(index);
  const named = images.find(({ platform }) => {
    const name = platform?.architecture;
    return (
      name === (architecture ?? USUAL) ||
      (name !== undefined && `${name}-${platform?.variant}` === architecture)
    );
  });
  return named ?? (architecture === undefined && images.length === 1 ? images[0] : undefined);
}

/** The forms that a project has made. */
export function formatsOf(convert: ConvertFormats): readonly ConvertedFormat[] {
  if (convert === "both") return ["sif", "sqsh"];
  return convert === "off" ? [] : [convert];
}
