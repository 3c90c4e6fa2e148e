import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  pushBlob,
  pushManifest,
  type RegistryTarget,
  randomBytes,
  type SmallImage,
  sha256Of,
  smallImage,
} from "../../test/support/registry-calls.ts";
import { largeRepository, type Settings, smallRepository } from "./server.ts";

/** What every server holds before it is measured: a small image and a large blob, the same bytes everywhere. */
export interface Content {
  readonly image: SmallImage;
  readonly imageBlobDigest: string;
  readonly large: Uint8Array<ArrayBuffer>;
  readonly largeDigest: string;
}

export function createContent(settings: Settings): Content {
  const image = smallImage("v1", [1024, 100_000]);
  const large = randomBytes(settings.largeBytes);
  return {
    image,
    imageBlobDigest: sha256Of(image.blobs[2] ?? ""),
    large,
    largeDigest: sha256Of(large),
  };
}

export async function pushContent(target: RegistryTarget, content: Content): Promise<void> {
  for (const bytes of content.image.blobs) await pushBlob(target, smallRepository, bytes);
  await pushManifest(target, smallRepository, content.image);
  await pushBlob(target, largeRepository, content.large);
}

/** The same addresses as files, for nginx. */
export function writeContent(root: string, content: Content): void {
  const write = (path: string, bytes: string | Uint8Array): void => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  };
  for (const name of [content.image.tag, content.image.manifestDigest]) {
    write(`v2/${smallRepository}/manifests/${name}`, content.image.manifest);
  }
  for (const bytes of content.image.blobs) write(`v2/${smallRepository}/blobs/${sha256Of(bytes)}`, bytes);
  write(`v2/${largeRepository}/blobs/${content.largeDigest}`, content.large);
}
