import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Scratch } from "../support/scratch.ts";

/** OCI image layouts that programs pull into: a new one for each pull. */
export interface LayoutStore {
  /** The path of a layout that is not there yet. */
  fresh(): string;
  /** The digest of the first image or index in a layout, after each blob that it leads to was checked; "" when there is none. */
  digestIn(layout: string): string;
}

export function createLayoutStore(scratch: Scratch, label: string): LayoutStore {
  let count = 0;
  return {
    fresh: () => {
      count += 1;
      return scratch.at(`${label}-${count}`);
    },
    digestIn: (layout) => {
      const index = join(layout, "index.json");
      if (!existsSync(index)) return "";
      const digest = digestsUnder(readFileSync(index, "utf8"))[0] ?? "";
      if (digest !== "") checkBlobs(layout, digest);
      return digest;
    },
  };
}

/** Every blob that a digest leads to is there, with that digest. Throws otherwise. */
function checkBlobs(layout: string, digest: string): void {
  const [algorithm, hex] = digest.split(":");
  const bytes = readFileSync(join(layout, "blobs", algorithm ?? "", hex ?? ""));
  const actual = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  if (actual !== hex) throw new Error(`${digest} in ${layout} holds other bytes`);
  if (bytes.byteLength > 100_000 || bytes[0] !== 0x7b) return;
  const text = bytes.toString("utf8");
  // A config names the digests of uncompressed layers, which are no blobs.
  if (!text.includes('"schemaVersion"')) return;
  for (const child of digestsUnder(text)) checkBlobs(layout, child);
}

/** The digests of all descriptors in a manifest or index. */
function digestsUnder(text: string): string[] {
  const value = JSON.parse(text) as Record<string, unknown>;
  const list = [value.config, ...asList(value.layers), ...asList(value.manifests)];
  return list.flatMap((entry) => {
    const digest = (entry as { readonly digest?: unknown } | undefined)?.digest;
    return typeof digest === "string" ? [digest] : [];
  });
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
