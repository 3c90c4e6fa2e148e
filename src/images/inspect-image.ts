import type { Context } from "#core";
import { type Descriptor, type ImageConfig, type Platform, parseManifest } from "#oci";
import type { ImageContent } from "./contract.ts";
import { type PlatformChoice } from "./sources/choose-platform.ts";
import { openView } from "./sources/open-view.ts";

/** What an image's manifest and config say; no layer is fetched for it. */
export interface ImageFacts {
  readonly name: string;
  /** What the name means: an index, or the manifest itself. */
  readonly root: Descriptor;
  /** Of an index: its entries, those that are no images too; else empty. */
  readonly entries: readonly Descriptor[];
  readonly manifest: Descriptor;
  readonly platform: Platform;
  readonly config: ImageConfig;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
  /** Of all layers, as they are stored. */
  readonly layerBytes: number;
}

/** Throws what `openView` throws: UNSUPPORTED for what is no image, or none for the platform. */
export async function inspectImage(
  context: Context,
  content: ImageContent,
  choice: PlatformChoice,
): Promise<ImageFacts> {
  const root = await readRoot(context, content);
  const view = await openView(context, content, choice);
  const layers = view.layers.map(({ descriptor }) => descriptor);
  return {
    name: view.name,
    root: content.root,
    entries: root.entries,
    manifest: view.manifest.descriptor,
    platform: view.config.platform,
    config: view.config,
    layers,
    layerBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

/** The bytes of what the name means, or of the image's own manifest where a platform was asked for: as they are. Throws as `inspectImage`. */
export async function readRawManifest(
  context: Context,
  content: ImageContent,
  choice: PlatformChoice,
): Promise<Uint8Array> {
  if (choice.isAsked) return (await openView(context, content, choice)).manifest.bytes;
  return (await readRoot(context, content)).bytes;
}

async function readRoot(
  context: Context,
  content: ImageContent,
): Promise<{ readonly bytes: Uint8Array; readonly entries: readonly Descriptor[] }> {
  const bytes = await content.readManifest(context, content.root);
  const { mediaType } = content.root;
  const manifest = parseManifest(bytes, mediaType === "" ? undefined : mediaType);
  return { bytes, entries: manifest.kind === "index" ? manifest.manifests : [] };
}
