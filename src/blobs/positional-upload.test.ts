import { afterEach, beforeEach, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlobStore } from "./contract.ts";
import { openFolderStore } from "./folder-store.ts";

let dir: string;
let store: BlobStore;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "wharf-positional-"));
  store = await openFolderStore({ dir });
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

const uploads = (): readonly string[] => readdirSync(join(dir, "uploads"));
const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

for (const sizeBytes of [0, 100, 3_000_000])
  test(`${sizeBytes} bytes, written from behind and cut, become one object`, async () => {
    const bytes = randomBytes(sizeBytes);
    const half = sizeBytes >> 1;
    const upload = await store.create("job-1");
    await upload.write(half, bytes.subarray(half));
    await upload.write(sizeBytes, randomBytes(50));
    await upload.write(0, bytes.subarray(0, half));
    const { digest, object } = await upload.finish(sizeBytes);
    await upload.abort();
    expect(digest).toBe(sha256(bytes));
    expect(object.sizeBytes).toBe(sizeBytes);
    expect(new Uint8Array(await store.open(object).arrayBuffer())).toEqual(new Uint8Array(bytes));
    expect(uploads()).toEqual([]);
  });

test("aborted, nothing is left, and the name is free again", async () => {
  const first = await store.create("job-1");
  await first.write(0, randomBytes(100));
  await first.abort();
  await first.abort();
  expect(uploads()).toEqual([]);
  await (await store.create("job-1")).abort();
});

test("what a killed process left under the name is forgotten; what a living one writes is not touched", async () => {
  const other = await openFolderStore({ dir });
  const left = await other.create("job-1");
  await left.write(0, randomBytes(1000));
  await expect(store.create("job-1")).rejects.toMatchObject({ code: "CONFLICT" });
  await left.abort();
  await Bun.write(join(dir, "uploads", "job-2"), randomBytes(1000));
  const upload = await store.create("job-2");
  await upload.write(0, new Uint8Array([1, 2]));
  expect((await upload.finish(2)).digest).toBe(sha256(new Uint8Array([1, 2])));
  await other.close();
});
