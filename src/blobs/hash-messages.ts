import type { DigestAlgorithm } from "./contract.ts";

/** What the store asks of the thread that hashes. `id` is the upload's. */
export type HashRequest =
  /** Hash this file as it grows. */
  | {
      readonly kind: "follow";
      readonly id: string;
      readonly path: string;
      readonly algorithm: DigestAlgorithm;
    }
  /** No more bytes for now: hash what is there, and remember it. */
  | { readonly kind: "pause"; readonly id: string; readonly sizeBytes: number }
  /** Hash to exactly `sizeBytes` and answer under `job`. */
  | {
      readonly kind: "digest";
      readonly id: string;
      readonly path: string;
      readonly algorithm: DigestAlgorithm;
      readonly job: number;
      readonly sizeBytes: number;
    }
  | { readonly kind: "drop"; readonly id: string };

export type HashAnswer =
  | { readonly job: number; readonly hex: string }
  | { readonly job: number; readonly error: string };
