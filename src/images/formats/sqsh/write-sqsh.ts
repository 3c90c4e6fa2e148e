import type { Context } from "#core";
import type { BlockCodec } from "#system";
import type { ImageView, Sink } from "../../contract.ts";
import { createdSeconds } from "../../created-seconds.ts";
import { buildSquashfs } from "../squashfs/build-squashfs.ts";
import { editForEnroot } from "./edit-for-enroot.ts";

export interface SqshOptions {
  /** zstd 3 unless said: every kernel that Enroot runs on reads it. */
  readonly codec?: BlockCodec;
  /** Device nodes are left out unless said: Enroot mounts the host's. */
  readonly preserveDevices?: boolean;
  /** Threads that compress; the bytes are the same whatever it is. */
  readonly workers?: number;
}

const DEFAULT_CODEC: BlockCodec = { name: "zstd", level: 3 };

/**
 * Writes an image as the squashfs that `enroot import` would make of it: all of root's, with Enroot's own files in /etc. The sink is neither finished
 * nor aborted. Throws as `buildSquashfs`.
 */
export async function writeSqsh(
  view: ImageView,
  sink: Sink,
  options: SqshOptions,
  context: Context,
): Promise<{ readonly sizeBytes: number }> {
  const mtimeSeconds = createdSeconds(view.config);
  const { sizeBytes } = await buildSquashfs(
    view.layers,
    sink,
    {
      ...options,
      codec: options.codec ?? DEFAULT_CODEC,
      allRoot: true,
      madeAtSeconds: mtimeSeconds,
      edit(root) {
        const volumes = editForEnroot(root, { view, mtimeSeconds });
        if (volumes.length > 0) context.log.info("left volumes out that Enroot cannot mount", { volumes });
      },
    },
    context,
  );
  return { sizeBytes };
}
