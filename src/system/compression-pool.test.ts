import { expect, test } from "bun:test";
import { inflateSync, zstdDecompressSync } from "node:zlib";
import { BlockSlot } from "./block-slot.ts";
import { type BlockCodec, compressBlock } from "./compress-block.ts";
import { compressSlot } from "./compress-slot.ts";
import { CompressionPool } from "./compression-pool.ts";

const text = Buffer.from("a block of words that come again and again. ".repeat(200));
const noise = crypto.getRandomValues(new Uint8Array(3000));
const gzip = { name: "gzip", level: 6 } as const;

test("gzip is a zlib frame, zstd a frame; what would not get smaller is left alone", () => {
  const into = Buffer.alloc(text.length);
  expect(inflateSync(into.subarray(0, compressBlock(text, gzip, into))).equals(text)).toBe(true);
  const zstd = { name: "zstd", level: 3 } as const;
  expect(zstdDecompressSync(into.subarray(0, compressBlock(text, zstd, into))).equals(text)).toBe(true);
  into.fill(7);
  for (const codec of [gzip, zstd, { name: "none" } as const])
    expect(compressBlock(noise, codec, into)).toBe(0);
  expect(into.every((byte) => byte === 7)).toBe(true);
});

test("a block is compressed over itself, side by side with its neighbours", () => {
  const slot = BlockSlot.ofBytes(100_000);
  fill(slot, [text, new Uint8Array(5000), noise, text, new Uint8Array(9)]);
  compressSlot(slot, gzip);
  const [first, zeros, kept, again, few] = [...slot.results()];
  expect(inflateSync(first?.bytes ?? "").equals(text)).toBe(true);
  expect(zeros?.bytes.length).toBe(0);
  expect(kept).toMatchObject({ isCompressed: false, bytes: noise });
  expect(again?.hash).toEqual(first?.hash as Uint8Array);
  expect(kept?.hash).not.toEqual(first?.hash);
  expect(few?.bytes.length).toBe(0);
});

test("zeros that may not vanish are bytes as any other", () => {
  const slot = BlockSlot.ofBytes(10_000);
  slot.add(5000, false);
  compressSlot(slot, gzip);
  const [only] = [...slot.results()];
  expect(inflateSync(only?.bytes ?? "").equals(Buffer.alloc(5000))).toBe(true);
});

test("slots go round, and whichever thread had one the results are the same", async () => {
  const results = new Map<number, string[]>();
  for (const workers of [1, 3]) {
    const pool = new CompressionPool({ codec: gzip, workers, slotBytes: 20_000 });
    const found: string[] = [];
    try {
      for (let round = 0; round < 30; round++) {
        const slot = pool.take();
        if (slot === undefined) throw new Error("no slot came back");
        fill(slot, [text, Buffer.from(`round ${round} `.repeat(100))]);
        await pool.submit(slot);
        for (const result of slot.results()) found.push(Buffer.from(result.bytes).toString("base64"));
        pool.release(slot);
      }
      let free = 0;
      while (pool.take() !== undefined) free++;
      expect(free).toBe(workers * 4);
    } finally {
      pool.close();
    }
    results.set(workers, found);
  }
  expect(results.get(3)).toEqual(results.get(1) as string[]);
});

test("what is submitted to a closed pool fails, and so does what was under way", async () => {
  const pool = new CompressionPool({ codec: gzip, workers: 1, slotBytes: 20_000 });
  const first = pool.take() as BlockSlot;
  fill(first, [text]);
  const under = pool.submit(first);
  pool.close();
  await expect(under).rejects.toThrow("closed");
  await expect(pool.submit(pool.take() as BlockSlot)).rejects.toThrow("closed");
});

test("a fault of the codec comes back as an error of its slot", async () => {
  const codec = { name: "zstd", level: 99 } as BlockCodec;
  const pool = new CompressionPool({ codec, workers: 1, slotBytes: 20_000 });
  try {
    const slot = pool.take() as BlockSlot;
    fill(slot, [text]);
    await expect(pool.submit(slot)).rejects.toThrow("compressing failed");
  } finally {
    pool.close();
  }
});

function fill(slot: BlockSlot, blocks: readonly Uint8Array[]): void {
  let at = 0;
  for (const block of blocks) {
    slot.data.set(block, at);
    slot.add(block.length, true);
    at += block.length;
  }
}
