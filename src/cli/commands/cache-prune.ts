import { AppError } from "#core";
import type { Command, Invocation } from "../command.ts";
import { CACHE_OPTION, imageCacheOf } from "../image-surroundings.ts";
import { renderBytes } from "../render-bytes.ts";
import { cacheDocument } from "./cache-list.ts";

export const cachePrune: Command = {
  path: ["cache", "prune"],
  doing: "pruning the image cache",
  summary: "remove what the image cache need not keep",
  description:
    "Without a limit all goes that no running pull needs. Files that were pulled stay: a result of the cache that shares its bytes with them takes no room.",
  examples: [
    { command: "wharf cache prune --max-size 20G", says: "what was used last stays, up to 20 GB" },
    { command: "wharf cache prune --older 30d", says: "what nobody used for 30 days goes" },
  ],
  options: [
    { flag: "--max-size <size>", summary: "keep so much: 500M, 20G, 1T" },
    { flag: "--older <time>", summary: "remove only what was not used for so long: 12h, 30d, 8w" },
    { flag: "--dry-run", summary: "say what would go" },
    CACHE_OPTION,
  ],
  async run(invocation) {
    const { terminal, options, context } = invocation;
    const maxBytes = parseSize(options["maxSize"]);
    const olderMs = parseTime(options["older"]);
    const { pruneCache } = await import("#images");
    const folder = await imageCacheOf(invocation);
    const now = new Date();
    const isTried = options["dryRun"] === true;
    const pruned = await pruneCache(context, folder, {
      now,
      isTried,
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(olderMs === undefined ? {} : { usedSince: new Date(now.getTime() - olderMs) }),
    });
    const { removed, kept, heldCount, refused } = pruned;
    const freedBytes = removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const keptBytes = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (invocation.json)
      terminal.out(
        `${JSON.stringify({ folder: folder.path, dryRun: isTried, freedBytes, keptBytes, inUse: heldCount, refused: refused.length, removed: removed.map(cacheDocument) })}\n`,
      );
    else {
      const verb = isTried ? "would remove" : "removed";
      terminal.out(
        `${verb} ${removed.length} (${renderBytes(freedBytes)}), ${renderBytes(keptBytes)} stay\n`,
      );
      if (heldCount > 0) terminal.err(`${heldCount} are needed by running pulls\n`);
      if (refused.length > 0) terminal.err(`${refused.length} are other users', and not yours to remove\n`);
    }
    return 0;
  },
};

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };
const TIMES: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

function parseSize(value: Invocation["options"][string]): number | undefined {
  if (typeof value !== "string") return undefined;
  const [, number, unit] = /^(\d{1,12}(?:\.\d{1,3})?)([KMGT]?)(?:i?B)?$/i.exec(value) ?? [];
  if (number === undefined || unit === undefined)
    throw new AppError("USAGE", "--max-size wants a size", { hint: "write it as 20G" });
  return Math.floor(Number(number) * (UNITS[unit.toUpperCase()] ?? 1));
}

function parseTime(value: Invocation["options"][string]): number | undefined {
  if (typeof value !== "string") return undefined;
  const [, number, unit] = /^(\d{1,6})([hdw])$/.exec(value) ?? [];
  if (number === undefined || unit === undefined)
    throw new AppError("USAGE", "--older wants a time", { hint: "write it as 12h, 30d or 8w" });
  return Number(number) * (TIMES[unit] ?? 0);
}
