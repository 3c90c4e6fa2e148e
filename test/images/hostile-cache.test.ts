/** An image cache that others may write into: what they put there is neither followed nor trusted. */
import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lutimesSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { silentLogger } from "#core";
import { digestOf } from "#oci";
import { openBlobCache, openCacheFolder } from "../../src/images/cache/index.ts";
import { readHeldBlobs } from "../../src/images/cache/running-pulls.ts";
import { createScratch } from "../support/scratch.ts";

const scratch = createScratch("hostile-cache");
afterAll(() => {
  scratch.remove();
});
const context = { signal: new AbortController().signal, log: silentLogger };

function sharedFolder(name: string): string {
  const path = scratch.at(name);
  Bun.spawnSync(["mkdir", "-p", path]);
  chmodSync(path, 0o1777);
  return path;
}

test.each(["running", "partial", "blobs", "results"])(
  "a link in the place of the cache's folder %s is refused before anything in it is read or removed",
  async (name) => {
    const home = sharedFolder(`home-of-${name}`);
    const cache = sharedFolder(`cache-${name}`);
    writeFileSync(`${home}/thesis.tex`, "three years");
    symlinkSync(home, `${cache}/${name}`);
    await expect(openCacheFolder(cache)).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    expect(readFileSync(`${home}/thesis.tex`, "utf8")).toBe("three years");
  },
);

test("among the running pulls, files of other names are nobody's pull and stay", async () => {
  const folder = await openCacheFolder(sharedFolder("names"));
  const stranger = `${folder.running}/notes.txt`;
  const left = `${folder.running}/${"a".repeat(16)}.json`;
  for (const path of [stranger, left]) {
    writeFileSync(path, "not a record");
    utimesSync(path, 1000, 1000);
  }
  await readHeldBlobs(folder, Date.now());
  expect([existsSync(stranger), existsSync(left)]).toEqual([true, false]);
});

test("a blob that is a link to another file of ours is fetched, not believed", async () => {
  const folder = await openCacheFolder(sharedFolder("links"));
  const [good, evil] = [
    Buffer.from("the config that was asked for"),
    Buffer.from("a config with another command"),
  ];
  expect(good.length).toBe(evil.length);
  // Pulled before, so it is ours: only its name is wrong.
  writeFileSync(folder.blobPath(digestOf(evil)), evil);
  symlinkSync(folder.blobPath(digestOf(evil)), folder.blobPath(digestOf(good)));
  lutimesSync(folder.blobPath(digestOf(good)), 1000, 1000);
  const cache = openBlobCache(context, folder);
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield good;
  };
  const source = cache.blob({ digest: digestOf(good), sizeBytes: good.length }, [
    { open: async () => ({ from: 0, to: good.length, body: body() }) },
  ]);
  expect(Buffer.from(await source.read(0, good.length, context)).toString()).toBe(good.toString());
  await cache.settle();
  await cache.close();
  expect(readFileSync(folder.blobPath(digestOf(good))).equals(good)).toBe(true);
  expect(readFileSync(folder.blobPath(digestOf(evil))).equals(evil)).toBe(true);
});
