import {
  ask,
  pushBlob,
  pushManifest,
  type RegistryTarget,
  randomBytes,
  type SmallImage,
  sha256Of,
  smallImage,
} from "../../test/support/registry-calls.ts";
import { project } from "../registry/server.ts";
import { mustBe } from "./must-be.ts";

interface Kept {
  readonly repository: string;
  readonly image: SmallImage;
}

/** A bounded number of small images in a bounded number of repositories: each new one takes the place of the oldest. */
export class RotatingImages {
  readonly #target: RegistryTarget;
  readonly #kept: Kept[] = [];
  readonly #most: number;
  readonly #repositories: number;

  constructor(target: RegistryTarget, most: number, repositories: number) {
    this.#target = target;
    this.#most = most;
    this.#repositories = repositories;
  }

  /** Blobs in the database and as files (the second layer), the manifest, then `latest`; the oldest is deleted with its blobs. */
  async push(turn: number): Promise<void> {
    const repository = `${project}/rotating-${turn % this.#repositories}`;
    const image = smallImage(`t${turn}`, [1000, 40_000]);
    for (const bytes of image.blobs) await pushBlob(this.#target, repository, bytes);
    await pushManifest(this.#target, repository, image);
    await pushManifest(this.#target, repository, { ...image, tag: "latest" });
    this.#kept.push({ repository, image });
    const oldest = this.#kept.length > this.#most ? this.#kept.shift() : undefined;
    if (oldest !== undefined) await this.#remove(oldest);
  }

  /** One of those that are there, in turn. */
  at(turn: number): Kept {
    const kept = this.#kept[turn % this.#kept.length];
    if (kept === undefined) throw new Error("no image yet");
    return kept;
  }

  async #remove({ repository, image }: Kept): Promise<void> {
    const remove = async (path: string): Promise<void> => {
      await mustBe(await ask(this.#target, "DELETE", `/v2/${repository}/${path}`), 202);
    };
    await remove(`manifests/${image.manifestDigest}`);
    for (const bytes of image.blobs) await remove(`blobs/${sha256Of(bytes)}`);
  }
}

/** A few large blobs, pushed again and again: their link goes, and comes back with all their bytes. */
export class LargeBlobs {
  readonly repository = `${project}/large`;
  readonly #target: RegistryTarget;
  readonly #blobs: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly digest: string }[];

  constructor(target: RegistryTarget, count: number, sizeBytes: number) {
    this.#target = target;
    this.#blobs = Array.from({ length: count }, () => {
      const bytes = randomBytes(sizeBytes);
      return { bytes, digest: sha256Of(bytes) };
    });
  }

  async pushAll(): Promise<void> {
    for (const { bytes } of this.#blobs) await pushBlob(this.#target, this.repository, bytes);
  }

  /** The first one stays, to be pulled; each other is deleted and pushed in its turn. */
  async pushAgain(turn: number): Promise<void> {
    const blob = this.#blobs[1 + (turn % (this.#blobs.length - 1))];
    if (blob === undefined) return;
    await mustBe(await ask(this.#target, "DELETE", `/v2/${this.repository}/blobs/${blob.digest}`), 202);
    await pushBlob(this.#target, this.repository, blob.bytes);
  }

  get pulled(): { readonly path: string; readonly digest: string } {
    const digest = this.#blobs[0]?.digest ?? "";
    return { path: `/v2/${this.repository}/blobs/${digest}`, digest };
  }
}
