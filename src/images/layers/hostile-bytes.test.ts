/** Bytes from outside: whatever they are, an index or an AppError, in bounded time and memory. */
import { expect, test } from "bun:test";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { isAppError } from "#core";
import { createContentRecorder, packedLayer, quietContext } from "../../../test/support/memory-layer.ts";
import { gnuLong, paxHeader, renderTar, sparseEntry, tarEntry } from "../../../test/support/tar-writer.ts";
import { defaultLayerLimits } from "./layer-limits.ts";
import { mergeLayers } from "./merge-layers.ts";
import { readLayer } from "./read-layer.ts";

const limits = { ...defaultLayerLimits, maxLayerBytes: 4_000_000 };

/** Reads and merges; true when it went well. What else comes out than an AppError of the image's own kind is a fault. */
async function survives(bytes: Uint8Array): Promise<boolean> {
  try {
    const layer = packedLayer(bytes, undefined);
    const index = await readLayer(layer, createContentRecorder(), quietContext(), limits);
    mergeLayers([index, index]);
    return true;
  } catch (error) {
    if (isAppError(error) && ["IMAGE_INVALID", "TOO_LARGE", "UNSUPPORTED"].includes(error.code)) return false;
    throw error;
  }
}

const seedTar = renderTar([
  tarEntry({ path: "etc/", mode: 0o755 }),
  paxHeader([["mtime", "1.5"]], "g"),
  tarEntry({ path: `etc/${"n".repeat(120)}`, content: "content", xattrs: { "user.a": "b" } }),
  gnuLong("L", `etc/${"m".repeat(150)}`),
  tarEntry({ path: "x", form: "gnu", content: "y".repeat(700), base256: true, mtime: -5 }),
  ...(["old", "0.0", "0.1", "1.0"] as const).map((form) =>
    sparseEntry(form, { path: `sparse-${form}` }, 5000, [
      { offset: 10, data: "abc" },
      { offset: 2000, data: "d".repeat(600) },
    ]),
  ),
  tarEntry({ path: "etc/link", linkTarget: "../x" }),
  tarEntry({ path: "hard", type: "1", linkTarget: "etc/link" }),
  tarEntry({ path: "etc/.wh.gone" }),
  tarEntry({ path: ".wh..wh..opq" }),
  tarEntry({ path: "dev/null", type: "3", device: [1, 3] }),
]);

/** Flips bytes; mends the checksum of headers afterwards half of the time, so that the damage gets past it. */
const damage = fc.record({
  flips: fc.array(fc.tuple(fc.nat(seedTar.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
  isMended: fc.boolean(),
  cut: fc.option(fc.nat(seedTar.length), { nil: undefined }),
});

test("damaged archives, checksums mended or not", async () => {
  let read = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(damage, async ({ flips, isMended, cut }) => {
      const bytes = Buffer.from(seedTar.subarray(0, cut));
      for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
      if (isMended) mendChecksums(bytes);
      if (await survives(bytes)) read++;
      else refused++;
    }),
    { seed: 31, numRuns: 4000 },
  );
  expect([read > 300, refused > 300]).toEqual([true, true]);
}, 120_000);

test("any bytes, as they are and behind the magic of gzip and zstd", async () => {
  const magic = fc.constantFrom("", "1f8b0800", "28b52ffd", "502a4d18", "5f2a4d18ffffffff");
  await fc.assert(
    fc.asyncProperty(magic, fc.uint8Array({ maxLength: 2000 }), async (head, rest) => {
      await survives(Buffer.concat([Buffer.from(head, "hex"), rest]));
    }),
    { seed: 32, numRuns: 1500 },
  );
}, 120_000);

test("damaged gzip and zstd data", async () => {
  const packed = [Buffer.from(Bun.gzipSync(new Uint8Array(seedTar))), zstdCompressSync(seedTar)];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...packed),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.option(fc.nat(), { nil: undefined }),
      async (whole, flips, cut) => {
        const bytes = Buffer.from(whole.subarray(0, cut === undefined ? undefined : cut % whole.length));
        for (const [at, value] of flips) if (bytes.length > 0) bytes[at % bytes.length] = value;
        await survives(bytes);
      },
    ),
    { seed: 33, numRuns: 1500 },
  );
}, 120_000);

/** Gives every block that looks like a header the checksum that it should have. */
function mendChecksums(bytes: Buffer): void {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const block = bytes.subarray(at, at + 512);
    if (block.toString("latin1", 257, 262) !== "ustar") continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  }
}
