import { AppError, type Context } from "#core";
import type { BlockCodec } from "#system";
import type { ImageView, Sink } from "../../contract.ts";
import { createdSeconds } from "../../created-seconds.ts";
import { buildSquashfs } from "../squashfs/build-squashfs.ts";
import { editForSif } from "./edit-for-sif.ts";
import { findArchitecture } from "./find-architecture.ts";
import { planSif } from "./plan-sif.ts";
import { createSifFacts } from "./sif-facts.ts";
import type { SifArchitecture } from "./sif-layout.ts";

export interface SifOptions {
  /** gzip 5 unless said: every runtime reads it, and it is about as small as Apptainer's gzip 9. */
  readonly codec?: BlockCodec;
  /** Threads that compress; the bytes are the same whatever it is. */
  readonly workers?: number;
}

/** What a SIF of zstd costs its reader: it is said to whoever asks for one. */
export const ZSTD_SIF_NOTE =
  "Apptainer before 1.4.0 and every SingularityCE up to 4.5.1 refuse a SIF compressed with zstd";

const DEFAULT_CODEC: BlockCodec = { name: "gzip", level: 5 };

/**
 * Writes an image as a SIF that Apptainer and SingularityCE run; the sink is neither finished nor aborted. Files keep their owners; device
 * nodes are left out, for the runtime mounts its own. Throws as `buildSquashfs`; IMAGE_INVALID, UNSUPPORTED for an architecture that no SIF can be for.
 */
export async function writeSif(
  view: ImageView,
  sink: Sink,
  options: SifOptions,
  context: Context,
): Promise<{ readonly sizeBytes: number }> {
  const facts = createSifFacts(view);
  const plan = planSif([
    { type: "definition", name: "", bytes: Buffer.from(facts.definition) },
    { type: "json", name: "inspect-metadata.json", bytes: Buffer.from(facts.metadata) },
    { type: "json", name: "oci-config.json", bytes: Buffer.from(facts.ociConfig) },
  ]);
  const madeAtSeconds = createdSeconds(view.config);
  let architecture: SifArchitecture | undefined;
  const { sizeBytes } = await buildSquashfs(
    view.layers,
    sink,
    {
      codec: options.codec ?? DEFAULT_CODEC,
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      offsetBytes: plan.partitionOffset,
      madeAtSeconds,
      edit(root, headOf) {
        architecture = findArchitecture(root, headOf, view.config.platform);
        editForSif(root, facts, madeAtSeconds);
      },
    },
    context,
  );
  if (architecture === undefined) throw new AppError("INTERNAL", "the tree was written without an edit");
  await sink.write(0, plan.render({ sizeBytes, architecture }));
  return { sizeBytes: plan.partitionOffset + sizeBytes };
}
