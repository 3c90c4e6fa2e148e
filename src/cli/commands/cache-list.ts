import type { CacheItem } from "#images";
import type { Command } from "../command.ts";
import { CACHE_OPTION, imageCacheOf } from "../image-surroundings.ts";
import { renderBytes } from "../render-bytes.ts";
import { renderTable } from "../table.ts";

export const cacheList: Command = {
  path: ["cache", "list"],
  doing: "listing the image cache",
  summary: "what the image cache keeps, and how much room it takes",
  examples: [{ command: "wharf cache list", says: "the least recently used first" }],
  options: [CACHE_OPTION],
  async run(invocation) {
    const { terminal } = invocation;
    const { listCache } = await import("#images");
    const folder = await imageCacheOf(invocation);
    const items = await listCache(folder);
    const total = items.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (invocation.json)
      terminal.out(
        `${JSON.stringify({ folder: folder.path, sizeBytes: total, items: items.map(cacheDocument) })}\n`,
      );
    else {
      terminal.out(
        renderTable<CacheItem>(
          [
            { head: "KIND", cell: ({ kind }) => kind },
            { head: "SIZE", cell: ({ sizeBytes }) => (sizeBytes === 0 ? "shared" : renderBytes(sizeBytes)) },
            { head: "USED", cell: ({ usedAt }) => usedAt.toISOString().slice(0, 16).replace("T", " ") },
            { head: "NAME", cell: ({ name }) => name },
          ],
          items,
          terminal.color,
        ),
      );
      terminal.err(`${renderBytes(total)} in ${folder.path}\n`);
    }
    return 0;
  },
};

/** As `--json` says it. */
export function cacheDocument({ kind, name, sizeBytes, usedAt }: CacheItem): unknown {
  return { kind, name, sizeBytes, usedAt: usedAt.toISOString() };
}
