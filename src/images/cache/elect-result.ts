import { basename } from "node:path";
import type { Context } from "#core";
import type { CacheFolder } from "./cache-folder.ts";
import { type ClaimTimes, claimTimes, takeClaim } from "./claim.ts";
import { findResult, type KeptResult, type ResultKey, resultClaimPath } from "./result-cache.ts";

/** Of many processes that want one result: it is there already, or this process is to make it. */
export interface Election {
  readonly kept: KeptResult | undefined;
  /** When the result is kept, or nothing came of it. */
  release(): Promise<void>;
}

/**
 * Waits while another process, on this machine or on any that shares the folder, makes the result. One that ended without it is succeeded by
 * one of those that wait. After `waitMs` nobody is waited for any more: better made twice than a job that stands. Throws INTERRUPTED.
 */
export async function electResult(
  context: Context,
  folder: CacheFolder,
  key: ResultKey,
  { waitMs, times = claimTimes }: { readonly waitMs: number; readonly times?: ClaimTimes },
): Promise<Election> {
  const until = performance.now() + waitMs;
  const path = resultClaimPath(folder, key);
  let kept = await findResult(context, folder, key);
  const claim = await takeClaim(context, { path, name: basename(path), times }, async () => {
    kept ??= await findResult(context, folder, key);
    return kept !== undefined || performance.now() > until;
  });
  if (claim === undefined) {
    if (kept === undefined) context.log.warn("another pull takes too long: making the result here too");
    return { kept, release: async () => undefined };
  }
  // NFS: a client may remember that there is no result until it has itself changed the folder, as the claim just did.
  kept = await findResult(context, folder, key);
  if (kept !== undefined) await claim.release();
  return { kept, release: kept === undefined ? () => claim.release() : async () => undefined };
}
