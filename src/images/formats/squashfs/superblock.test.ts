import { expect, test } from "bun:test";
import { ByteRecord } from "./byte-record.ts";
import { IdTable } from "./id-table.ts";
import { writeFileInode } from "./inode.ts";
import { checkOptions } from "./options.ts";
import { storedFile } from "./stored-file.ts";
import { renderCodecOptions, renderSuperblock } from "./superblock.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const block = {
  codec: { name: "gzip", level: 6 },
  blockBytes: 131_072,
  madeAt: 0x0102_0304,
  inodes: 5,
  fragments: 1,
  ids: 2,
  root: 0x1234_5678,
  usedBytes: 0x11_2233_4455,
  inodeTable: 0x1000,
  directoryTable: 0x2000,
  fragmentTable: 0x3000,
  exportTable: 0x4000,
  idTable: 0x5000,
  xattrTable: undefined,
} as const;

test("a superblock of gzip 6 without attributes, byte by byte", () => {
  expect(hex(renderSuperblock(block)).match(/.{32}/g)).toEqual([
    "68737173" + "05000000" + "04030201" + "00000200",
    "01000000" + "0100" + "1100" + "c006" + "0200" + "0400" + "0000",
    "7856341200000000" + "5544332211000000",
    "0050000000000000" + "ffffffffffffffff",
    "0010000000000000" + "0020000000000000",
    "0030000000000000" + "0040000000000000",
  ]);
  expect(hex(renderCodecOptions(block.codec))).toBe("0880" + "06000000" + "0f00" + "0000");
});

test("zstd names its level, gzip 9 is what readers assume, no compression flags everything as kept", () => {
  expect(hex(renderCodecOptions({ name: "zstd", level: 3 }))).toBe("0480" + "03000000");
  expect(hex(renderCodecOptions({ name: "gzip", level: 9 }))).toBe("");
  const zstd = renderSuperblock({ ...block, codec: { name: "zstd", level: 3 }, xattrTable: 0x6000 });
  expect(hex(zstd.subarray(20, 26))).toBe("0600" + "1100" + "c004");
  expect(hex(zstd.subarray(56, 64))).toBe("0060000000000000");
  expect(hex(renderSuperblock({ ...block, codec: { name: "none" } }).subarray(20, 26))).toBe(
    "0100" + "1100" + "cb0b",
  );
});

test("a file that begins behind 4 GiB has the extended inode", () => {
  const record = new ByteRecord();
  const common = { mode: 0o644, uid: 0, gid: 1, mtime: 7, inode: 9, links: 1, xattr: -1 };
  const file = {
    ...storedFile(5000),
    startBytes: 0x1_0000_0002,
    blockSizes: Uint32Array.of(4096, 0x100_0388),
  };
  writeFileInode(record, common, file);
  expect(hex(record.bytes)).toBe(
    "0900a40100000100" +
      "0700000009000000" +
      "0200000001000000" +
      "8813000000000000" +
      "0000000000000000" +
      "01000000ffffffff" +
      "00000000ffffffff" +
      "0010000088030001",
  );
});

test("65,535 users and groups fit, one more is refused with words", () => {
  const ids = new IdTable();
  for (let id = 0; id < 65_535; id++) expect(ids.index(id * 3)).toBe(id);
  expect(ids.index(3)).toBe(1);
  expect(() => ids.index(1)).toThrow("more than 65535 distinct users and groups");
  expect(() => new IdTable().index(2 ** 32)).toThrow("32 bits");
});

test("options that squashfs cannot have are refused", () => {
  const codec = { name: "gzip", level: 6 } as const;
  checkOptions({ codec, blockBytes: 1024 * 1024, offsetBytes: 36_864, workers: 64 });
  expect(() => checkOptions({ codec, blockBytes: 100_000 })).toThrow("power of two");
  expect(() => checkOptions({ codec, blockBytes: 2 * 1024 * 1024 })).toThrow("power of two");
  expect(() => checkOptions({ codec: { name: "gzip", level: 12 } })).toThrow("levels 1 to 9");
  expect(() => checkOptions({ codec: { name: "zstd", level: 23 } })).toThrow("levels 1 to 22");
  expect(() => checkOptions({ codec, offsetBytes: -1 })).toThrow("cannot begin");
  expect(() => checkOptions({ codec, workers: 0 })).toThrow("threads");
});
