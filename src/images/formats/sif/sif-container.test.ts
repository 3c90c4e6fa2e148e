import { afterAll, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import fc from "fast-check";
import { isAppError, silentLogger } from "#core";
import { memorySource } from "../../../../test/support/memory-layer.ts";
import { needs, programPath } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import { fileNode, folderNode, writeTree } from "../../../../test/support/squashfs-trees.ts";
import { planSif, type SifObject } from "./plan-sif.ts";
import { isSif, readSif } from "./read-sif.ts";
import { DATA_OFFSET, DESCRIPTOR_BYTES, descriptorAt, headerAt } from "./sif-layout.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const scratch = createScratch("sif");
afterAll(() => {
  scratch.remove();
});

const objects: readonly SifObject[] = [
  { type: "definition", name: "", bytes: Buffer.from("bootstrap: docker\nfrom: alpine:3\n\n") },
  { type: "json", name: "inspect-metadata.json", bytes: Buffer.from('{"data":{}}') },
  { type: "json", name: "oci-config.json", bytes: Buffer.from('{"Cmd":["/bin/sh"]}') },
];

/** The judges: Debian's, and the two forks of the library. */
const judges = ["siftool", "siftool-apptainer", "siftool-sylabs"] as const;

async function writeSample(name: string): Promise<string> {
  const path = scratch.at(name);
  const plan = planSif(objects);
  const tree = folderNode({ hello: fileNode("hello\n".repeat(1000)), etc: folderNode({}) });
  const sizeBytes = await writeTree(tree, path, {
    codec: { name: "gzip", level: 6 },
    offsetBytes: plan.partitionOffset,
  });
  const file = openSync(path, "r+");
  writeSync(file, plan.render({ sizeBytes, architecture: "arm64" }), 0, undefined, 0);
  closeSync(file);
  return path;
}

test("every field lies where the format has it", () => {
  const plan = planSif(objects);
  expect(plan.partitionOffset).toBe(32_768);
  const bytes = Buffer.from(plan.render({ sizeBytes: 8192, architecture: "amd64" }));
  expect(bytes.subarray(0, 48).toString("latin1")).toBe(
    "#!/usr/bin/env run-singularity\n\0SIF_MAGIC\x0001\x0002\0",
  );
  expect(bytes.subarray(48, 64)).toEqual(Buffer.alloc(16));
  const numbers = [64, 72, 80, 88, 96, 104, 112, 120].map((at) => bytes.readBigInt64LE(at));
  expect(numbers.map(Number)).toEqual([
    -62_135_596_800,
    -62_135_596_800,
    44,
    48,
    4096,
    28_080,
    32_176,
    32_768 + 8192 - 32_176,
  ]);
  const last = bytes.subarray(4096 + 3 * 585, 4096 + 4 * 585);
  const sum = objects.reduce((total, { bytes: own }) => total + own.length, 0);
  expect([
    last.readInt32LE(0),
    last[4],
    last.readUInt32LE(5),
    last.readUInt32LE(9),
    last.readUInt32LE(13),
  ]).toEqual([0x4004, 1, 4, 0xf000_0001, 0]);
  expect([17, 25, 33].map((at) => Number(last.readBigInt64LE(at)))).toEqual([
    32_768,
    8192,
    32_768 + 8192 - DATA_OFFSET - sum,
  ]);
  expect(last.subarray(201, 212)).toEqual(Buffer.from([1, 0, 0, 0, 2, 0, 0, 0, 0x30, 0x32, 0]));
  expect(bytes.subarray(4096 + 4 * 585, DATA_OFFSET).every((byte) => byte === 0)).toBe(true);
});

test("what is written is read", async () => {
  const bytes = readFileSync(await writeSample("own.sif"));
  expect(isSif(bytes)).toBe(true);
  const sif = await readSif(memorySource(bytes, 1000), context);
  expect(sif).toMatchObject({
    launch: "#!/usr/bin/env run-singularity",
    architecture: "arm64",
    id: undefined,
    createdSeconds: undefined,
  });
  expect(sif.descriptors.map(({ id, type, name, group, link }) => [id, type, name, group, link])).toEqual([
    [1, "definition", "", 1, undefined],
    [2, "json", "inspect-metadata.json", 1, undefined],
    [3, "json", "oci-config.json", 1, undefined],
    [4, "partition", "", 1, undefined],
  ]);
  expect(sif.descriptors.at(-1)?.partition).toEqual({
    fileSystem: "squashfs",
    kind: "primary-system",
    architecture: "arm64",
  });
  for (const [index, object] of objects.entries()) {
    const { offsetBytes, sizeBytes } = sif.descriptors[index] ?? { offsetBytes: 0, sizeBytes: 0 };
    expect(bytes.subarray(offsetBytes, offsetBytes + sizeBytes)).toEqual(Buffer.from(object.bytes));
  }
});

for (const judge of judges)
  needs(judge, "unsquashfs")(`${judge} finds header, objects and partition`, async () => {
    const path = await writeSample(`${judge}.sif`);
    const tool = programPath(judge);
    const header = await mustRun([tool, "header", path]);
    for (const line of [
      /Launch Script:\s+#!\/usr\/bin\/env run-singularity/,
      /Version:\s+01/,
      /arm64/i,
      /Descriptors Free:\s+44/,
    ])
      expect(header).toMatch(line);
    const list = await mustRun([tool, "list", path]);
    expect(list).toMatch(/FS \(Squashfs\/\*System\/arm64\)/);
    expect(list.match(/JSON/g)).toHaveLength(2);
    expect(await mustRun([tool, "info", "2", path])).toMatch(/inspect-metadata\.json/);
    for (const [index, { bytes }] of objects.entries())
      expect(await mustRun([tool, "dump", String(index + 1), path])).toBe(Buffer.from(bytes).toString());
    const { partitionOffset } = planSif(objects);
    const { sizeBytes } = (await readSif(memorySource(readFileSync(path)), context)).descriptors[3] ?? {};
    expect(partitionOffset + (sizeBytes ?? 0)).toBe(readFileSync(path).length);
    expect(
      await mustRun([programPath("unsquashfs"), "-o", String(partitionOffset), "-cat", path, "hello"]),
    ).toBe("hello\n".repeat(1000));
  });

for (const judge of judges)
  needs(judge)(`a SIF that ${judge} makes is read, with types and groups of its own`, async () => {
    const tool = programPath(judge);
    const path = scratch.at(`of-${judge}.sif`);
    const json = scratch.at("some.json");
    await Bun.write(json, "{}");
    await mustRun([tool, "new", path]);
    await mustRun([tool, "add", "--datatype", "6", "--filename", "named.json", path, json]);
    const partition = ["--datatype", "4", "--parttype", "2", "--partfs", "1", "--partarch", "4"];
    await mustRun([tool, "add", ...partition, "--groupid", "3", path, json]);
    const sif = await readSif(memorySource(readFileSync(path)), context);
    expect(sif.id).toMatch(/^[0-9a-f]{32}$/);
    expect(sif.createdSeconds).toBeGreaterThan(1_600_000_000);
    expect(sif.architecture).toBe("arm64");
    expect(sif.descriptors).toMatchObject([
      { id: 1, type: "json", name: "named.json", sizeBytes: 2 },
      { id: 2, type: "partition", group: 3, partition: { kind: "primary-system", architecture: "arm64" } },
    ]);
  });

test("hostile numbers lead nowhere", async () => {
  const good = readFileSync(await writeSample("hostile.sif"));
  const read = async (change: (bytes: Buffer) => void): Promise<string> => {
    const bytes = Buffer.from(good);
    change(bytes);
    try {
      await readSif(memorySource(bytes), context);
    } catch (error) {
      if (isAppError(error)) return `${error.code}: ${error.message}`;
      throw error;
    }
    return "taken";
  };
  const slot = 4096 + DESCRIPTOR_BYTES;
  expect(await read((bytes) => bytes.writeBigInt64LE(2n ** 62n, headerAt.total))).toStartWith("FILE_INVALID");
  expect(await read((bytes) => bytes.writeBigInt64LE(-1n, headerAt.total))).toContain("descriptors is -1");
  expect(await read((bytes) => bytes.writeBigInt64LE(1_000_000n, headerAt.total))).toStartWith("TOO_LARGE");
  expect(await read((bytes) => bytes.writeBigInt64LE(4000n, headerAt.total))).toContain(
    "do not lie in the file",
  );
  expect(await read((bytes) => bytes.writeBigInt64LE(0n, headerAt.descriptorsOffset))).toContain(
    "do not lie",
  );
  expect(await read((bytes) => bytes.writeBigInt64LE(2n ** 40n, slot + descriptorAt.size))).toContain(
    "object 2",
  );
  expect(await read((bytes) => bytes.writeBigInt64LE(-5n, slot + descriptorAt.offset))).toContain("object 2");
  expect(await read((bytes) => bytes.writeUInt32LE(1, slot + descriptorAt.id))).toContain("the number 1");
  expect(await read((bytes) => bytes.write("02\0", headerAt.version, "latin1"))).toContain("version");
  expect(await read((bytes) => bytes.writeInt32LE(0x7777, slot + descriptorAt.type))).toBe("taken");
});

test("any bytes are a SIF or an AppError", async () => {
  const good = Buffer.from(planSif(objects).render({ sizeBytes: 0, architecture: "amd64" }));
  const changed = fc
    .array(fc.tuple(fc.nat({ max: 7000 }), fc.nat({ max: 255 })), { maxLength: 20 })
    .map((changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  const cut = fc.nat({ max: good.length }).map((length) => good.subarray(0, length));
  await fc.assert(
    fc.asyncProperty(fc.oneof(changed, cut, fc.uint8Array({ maxLength: 300 })), async (bytes) => {
      try {
        await readSif(memorySource(bytes), context);
      } catch (error) {
        if (!isAppError(error)) throw error;
      }
    }),
    { seed: 5, numRuns: 1000 },
  );
});
