import { expect, test } from "bun:test";
import { zstdCompressSync } from "node:zlib";
import { type ErrorCode, isAppError } from "#core";
import {
  createContentRecorder,
  entryAt,
  memoryLayer,
  memorySource,
  packedLayer,
  quietContext,
} from "../../../test/support/memory-layer.ts";
import { renderTar, renderTarItems, tarEntry } from "../../../test/support/tar-writer.ts";
import type { LayerBlob } from "../contract.ts";
import { defaultLayerLimits } from "./layer-limits.ts";
import { readLayer } from "./read-layer.ts";

const context = quietContext();
const big = Buffer.alloc(3_000_000, "0123456789");
const tar = renderTarItems([
  { path: "etc/", mode: 0o755, mtime: 5 },
  { path: "etc/big", content: big, mode: 0o4755, uid: 7, gid: 8, mtime: 1234567890 },
  { path: "etc/empty" },
  { path: "etc/link", linkTarget: "big" },
]);

async function readAll(layer: LayerBlob) {
  const recorder = createContentRecorder();
  const index = await readLayer(layer, recorder, context);
  return { index, contents: recorder.contents };
}

async function refusal(
  layer: LayerBlob,
  limits = defaultLayerLimits,
): Promise<{ code: ErrorCode; message: string }> {
  try {
    await readLayer(layer, createContentRecorder(), context, limits);
  } catch (error) {
    if (isAppError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was refused");
}

for (const packed of ["plain", "gzip", "zstd"] as const) {
  test(`a ${packed} layer is read whole, whatever its media type says`, async () => {
    const { index, contents } = await readAll(memoryLayer(tar, packed));
    expect(index.entries.map((entry) => [entry.path, entry.type])).toEqual([
      ["etc", "directory"],
      ["etc/big", "file"],
      ["etc/empty", "file"],
      ["etc/link", "symlink"],
    ]);
    expect(entryAt(index, "etc/big")).toEqual({
      path: "etc/big",
      type: "file",
      mode: 0o4755,
      uid: 7,
      gid: 8,
      mtimeSeconds: 1234567890,
      sizeBytes: big.length,
      linkTarget: "",
      device: undefined,
      xattrs: undefined,
    });
    expect(contents.get(1)?.bytes.equals(big)).toBe(true);
    expect(contents.get(2)?.sizeBytes).toBe(0);
    expect([...contents.keys()]).toEqual([1, 2]);
  });
}

test("members of gzip and frames of zstd follow one another, split anywhere, with skippable frames between", async () => {
  const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const halves = [tar.subarray(0, 700), tar.subarray(700)].map((half) => new Uint8Array(half));
  const gzip = Buffer.concat(halves.map((half) => Bun.gzipSync(half)));
  const zstd = Buffer.concat([skippable, ...halves.flatMap((half) => [zstdCompressSync(half), skippable])]);
  for (const bytes of [gzip, zstd]) {
    const layer = packedLayer(bytes, tar);
    const { contents } = await readAll({ ...layer, bytes: memorySource(bytes, 97) });
    expect(contents.get(1)?.bytes.equals(big)).toBe(true);
  }
});

test("zeros behind the gzip data and anything behind the archive's end are passed over", async () => {
  const longer = renderTar(
    [tarEntry({ path: "a", content: "x" })],
    Buffer.concat([Buffer.alloc(1024), Buffer.from("rest")]),
  );
  const packed = Buffer.concat([Bun.gzipSync(new Uint8Array(longer)), Buffer.alloc(300)]);
  const { index } = await readAll(packedLayer(packed, longer));
  expect(index.entries.length).toBe(1);
});

test("layers without an entry: nothing at all, two blocks of zeros, a missing end", async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(1024), Buffer.alloc(10_240), Buffer.alloc(512)])
    for (const packed of ["plain", "gzip", "zstd"] as const)
      expect((await readAll(memoryLayer(bytes, packed))).index).toEqual({ entries: [], whiteouts: [] });
});

test("a missing end and missing padding of the last entry are forgiven", async () => {
  const whole = tarEntry({ path: "a", content: "abc" });
  for (const bytes of [whole, whole.subarray(0, 512 + 3)]) {
    const { contents } = await readAll(memoryLayer(bytes));
    expect(contents.get(0)?.bytes.toString()).toBe("abc");
  }
});

test("a layer that was packed anew, cut short or damaged is refused", async () => {
  const other = renderTarItems([{ path: "other" }]);
  const gzip = Buffer.from(Bun.gzipSync(new Uint8Array(tar)));
  const zstd = zstdCompressSync(tar);
  expect(await refusal(packedLayer(gzip, other))).toMatchObject({ code: "DIGEST_INVALID" });
  expect((await refusal(packedLayer(gzip.subarray(0, -20), tar))).code).toBe("IMAGE_INVALID");
  expect((await refusal(packedLayer(zstd.subarray(0, -20), undefined))).code).toBe("IMAGE_INVALID");
  expect((await refusal(packedLayer(Buffer.concat([gzip, Buffer.from("junk")]), tar))).code).toBe(
    "IMAGE_INVALID",
  );
  expect((await refusal(memoryLayer(tar.subarray(0, 2000)))).message).toContain(
    'entry "etc/big": the archive ends',
  );
  expect(
    (await refusal(memoryLayer(Buffer.concat([tar.subarray(0, 512), Buffer.alloc(512), tar])))).message,
  ).toContain("single block of zeros");
});

test("what the manifest says of the size must be so; a foreign layer that is not there is told as one", async () => {
  const layer = memoryLayer(tar);
  const descriptor = { ...layer.descriptor, sizeBytes: 7 };
  expect((await refusal({ ...layer, descriptor })).code).toBe("SIZE_INVALID");
  const foreign = {
    ...layer,
    descriptor: {
      ...layer.descriptor,
      mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    },
    bytes: memorySource(new Uint8Array()),
  };
  const { code, message } = await refusal(foreign);
  expect(code).toBe("BLOB_UNKNOWN");
  expect(message).toContain("kept elsewhere");
});

test("a source that ends too early is an error, not a wait", async () => {
  const layer = memoryLayer(tar, "gzip");
  const short = memorySource(new Uint8Array(await layer.bytes.read(0, 100, context)));
  const bytes = { ...short, sizeBytes: layer.bytes.sizeBytes };
  expect((await refusal({ ...layer, bytes })).code).toBe("SIZE_INVALID");
});

test("bzip2 and xz are named", async () => {
  expect((await refusal(packedLayer(Buffer.from("BZh91AY&SY"), undefined))).message).toContain("bzip2");
  expect((await refusal(packedLayer(Buffer.from("\xfd7zXZ\0", "latin1"), undefined))).message).toContain(
    "xz",
  );
  // A tar whose first name looks like one is a tar.
  const tricky = renderTarItems([{ path: "BZh91AY" }]);
  expect((await readAll(memoryLayer(tricky))).index.entries.length).toBe(1);
});

test("a bomb is refused by its size and by its ratio", async () => {
  const zeros = renderTarItems([{ path: "zeros", content: Buffer.alloc(5_000_000) }]);
  const layer = memoryLayer(zeros, "zstd");
  const small = { ...defaultLayerLimits, ratioFreeBytes: 2_000_000 };
  expect(await refusal(layer, small)).toMatchObject({ code: "TOO_LARGE" });
  expect((await refusal(layer, { ...defaultLayerLimits, maxLayerBytes: 4_000_000 })).message).toContain(
    "unpacks to more",
  );
  await readLayer(layer, createContentRecorder(), context);
});

test("what the source and the visitor throw comes out as it is", async () => {
  const failure = new Error("the disk is gone");
  const layer = memoryLayer(tar, "gzip");
  const bytes = {
    sizeBytes: layer.bytes.sizeBytes,
    read: (offset: number) => (offset > 0 ? Promise.reject(failure) : layer.bytes.read(0, 200, context)),
  };
  await expect(readLayer({ ...layer, bytes }, createContentRecorder(), context)).rejects.toBe(failure);
  for (const packed of ["plain", "gzip", "zstd"] as const) {
    const visitor = { entry: () => "read" as const, content: () => Promise.reject(failure) };
    await expect(readLayer(memoryLayer(tar, packed), visitor, context)).rejects.toBe(failure);
  }
});

test("damage is told at once, though the rest of the layer is still to arrive", async () => {
  const { descriptor } = packedLayer(Buffer.alloc(5_000_000), undefined);
  const gzip = Buffer.from(Bun.gzipSync(new Uint8Array(tar)));
  const junk = Buffer.concat([gzip.subarray(0, 100), Buffer.alloc(900_000, 0xff)]);
  const never = new Promise<Uint8Array>(() => {});
  const bytes = {
    sizeBytes: 5_000_000,
    read: (offset: number) => (offset === 0 ? Promise.resolve(junk) : never),
  };
  const layer = { descriptor, diffId: undefined, bytes };
  expect((await refusal(layer)).code).toBe("IMAGE_INVALID");
});

test("an abort ends the reading as INTERRUPTED", async () => {
  const abort = new AbortController();
  const visitor = {
    entry: () => {
      abort.abort();
      return "read" as const;
    },
    content: () => undefined,
  };
  const layer = memoryLayer(tar, "gzip");
  const slow = { ...layer, bytes: memorySource(await layer.bytes.read(0, 1e9, context), 64) };
  await expect(readLayer(slow, visitor, { ...context, signal: abort.signal })).rejects.toMatchObject({
    code: "INTERRUPTED",
  });
});
