import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { isAppError, silentLogger } from "#core";
import { memorySource } from "../../test/support/memory-layer.ts";
import { createScratch } from "../../test/support/scratch.ts";
import { planSif, type SifObject } from "./formats/sif/plan-sif.ts";
import { descriptorAt } from "./formats/sif/sif-layout.ts";
import { readSuperblock } from "./formats/squashfs/read-superblock.ts";
import { inspectFile } from "./inspect-file.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const scratch = createScratch("inspect-file");
afterAll(() => {
  scratch.remove();
});

/** A SIF of these objects whose partition is no squashfs. */
async function inspectObjects(objects: readonly SifObject[]) {
  const bytes = Buffer.from(planSif(objects).render({ sizeBytes: 0, architecture: "amd64" }));
  bytes.writeInt32LE(0x4007, 4096 + objects.length * 585 + descriptorAt.type);
  const path = scratch.at("some.sif");
  writeFileSync(path, bytes);
  const facts = await inspectFile(context, path);
  if (facts?.kind !== "sif") throw new Error("no SIF");
  return facts;
}

function json(name: string, text: string): SifObject {
  return { type: "json", name, bytes: Buffer.from(text) };
}

test("documents that any program may have put there: no JSON, nested without end, named like what objects have", async () => {
  const { documents, definition } = await inspectObjects([
    json("broken.json", "{"),
    json("deep.json", "[".repeat(500_000) + "]".repeat(500_000)),
    json("__proto__", '{"polluted":true}'),
    json("", "{}"),
    json("good.json", '{"a":1}'),
  ]);
  expect(Object.keys(documents)).toEqual(["__proto__", "good.json"]);
  expect(Object.getPrototypeOf(documents)).toBe(Object.prototype);
  expect(definition).toBeUndefined();
});

test("many objects are not read beyond a bound; they are listed", async () => {
  const large = `"${"x".repeat(3_000_000)}"`;
  const facts = await inspectObjects(["a", "b", "c"].map((name) => json(`${name}.json`, large)));
  expect(Object.keys(facts.documents)).toEqual(["a.json", "b.json"]);
  expect(facts.sif.descriptors).toHaveLength(4);
});

test("a file of something else is nothing, an empty one too", async () => {
  for (const content of ["", "hello", "hsq"]) {
    writeFileSync(scratch.at("other"), content);
    expect(await inspectFile(context, scratch.at("other"))).toBeUndefined();
  }
  expect(await inspectFile(context, scratch.path)).toBeUndefined();
  expect(await inspectFile(context, scratch.at("none"))).toBeUndefined();
});

test("any bytes are a superblock or an AppError", async () => {
  const start = Buffer.alloc(96);
  start.write("hsqs", "latin1");
  start.writeUInt16LE(4, 28);
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 120 }).map((noise) => {
    const whole = Buffer.from(noise);
    start.copy(whole, 0, 0, noise.length % 2 === 0 ? 4 : 32);
    return whole;
  });
  await fc.assert(
    fc.asyncProperty(bytes, async (some) => {
      try {
        await readSuperblock(memorySource(some), 0, context);
      } catch (error) {
        if (!isAppError(error)) throw error;
      }
    }),
    { seed: 5, numRuns: 500 },
  );
});
