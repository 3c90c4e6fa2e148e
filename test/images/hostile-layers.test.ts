/** A few bytes that ask for much: holes, headers that are held in memory, sizes that go backwards. */
import { expect, test } from "bun:test";
import type { LayerVisitor } from "../../src/images/contract.ts";
import { defaultLayerLimits } from "../../src/images/layers/layer-limits.ts";
import { readLayer, withinVolume } from "../../src/images/layers/read-layer.ts";
import { indexArchive } from "../../src/images/sources/tar-index.ts";
import { memoryLayer, memorySource, quietContext } from "../support/memory-layer.ts";
import { paxHeader, renderTar, renderTarItems, sparseEntry, tarEntry } from "../support/tar-writer.ts";

const skipAll: LayerVisitor = { entry: () => "skip", content: () => undefined };

test("a hole of 200 GiB in a layer of 3 KB is refused before a zero of it is made", async () => {
  const layer = memoryLayer(renderTar([sparseEntry("1.0", { path: "hole" }, 200 * 1024 ** 3, [])]));
  const visitor: LayerVisitor = { entry: () => "read", content: () => expect.unreachable() };
  await expect(readLayer(layer, visitor, quietContext())).rejects.toMatchObject({
    code: "TOO_LARGE",
    details: { limit: "maxLayerBytes" },
  });
});

test("extended attributes of many entries together are bounded", async () => {
  const items = Array.from({ length: 20 }, (_, at) => ({
    path: `f${at}`,
    xattrs: { "user.a": "x".repeat(60_000) },
  }));
  const layer = memoryLayer(renderTarItems(items), "gzip");
  expect((await readLayer(layer, skipAll, quietContext())).entries).toHaveLength(20);
  const limits = { ...defaultLayerLimits, maxIndexBytes: 1_000_000 };
  await expect(readLayer(layer, skipAll, quietContext(), limits)).rejects.toMatchObject({
    details: { limit: "maxIndexBytes" },
  });
});

test("an archive whose sizes are negative is refused, and not read backwards", async () => {
  const size = Buffer.concat([Buffer.alloc(10, 0xff), Buffer.from([0xfc, 0])]);
  const entry = tarEntry({ path: "a", patch: new Map([[124, size]]) });
  for (const before of [[], [paxHeader([["mtime", "1"]], "x")]])
    await expect(
      indexArchive(quietContext(), memorySource(renderTar([...before, entry]))),
    ).rejects.toMatchObject({ code: "IMAGE_INVALID" });
});

test("an archive that was compressed as a whole is unpacked no further than a layer may be", async () => {
  const limits = { ...defaultLayerLimits, maxRatio: 10, ratioFreeBytes: 5000 };
  const taken: number[] = [];
  const read = async (): Promise<void> => {
    const pieces = new Blob([new Uint8Array(1_000_000)]).stream();
    for await (const piece of withinVolume(pieces, 600, limits)) taken.push(piece.length);
  };
  await expect(read()).rejects.toMatchObject({ code: "TOO_LARGE", details: { limit: "maxRatio" } });
  expect(taken.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(6000);
});
