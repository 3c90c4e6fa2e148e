/** `wharf cache`: what is listed, what goes, what stays. */
import { beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { silentLogger } from "#core";
import { type CacheFolder, listCache, openCacheFolder, pruneCache } from "#images";
import { digestOf } from "#oci";
import { readProcessIdentity } from "#system";
import { savedImage } from "./support/saved-image.ts";
import { useWharfHome } from "./support/use-wharf-home.ts";

const it = useWharfHome("cache");
const context = { signal: new AbortController().signal, log: silentLogger };
const DAY = 86_400_000;
const now = new Date();
let folder: CacheFolder;

beforeEach(async () => {
  mkdirSync(join(it.home, ".cache", "wharf"), { recursive: true });
  folder = await openCacheFolder(join(it.home, ".cache", "wharf", "images"));
});

/** A blob that was used so many days ago. */
function addBlob(text: string, days: number): string {
  const digest = digestOf(text);
  const path = folder.blobPath(digest);
  writeFileSync(path, text.padEnd(10_000));
  const time = new Date(now.getTime() - days * DAY);
  utimesSync(path, time, time);
  return digest;
}

const names = async (): Promise<readonly string[]> => (await listCache(folder)).map(({ name }) => name);

test("the least recently used goes first, by size and by age", async () => {
  const old = addBlob("old", 40);
  const middle = addBlob("middle", 20);
  const young = addBlob("young", 1);
  expect(await names()).toEqual([old, middle, young]);
  const tried = await it.wharf("cache prune --older 30d --dry-run");
  expect(tried.out).toContain("would remove 1");
  expect(await names()).toHaveLength(3);
  expect((await it.wharf("cache prune --older 30d")).code).toBe(0);
  expect(await names()).toEqual([middle, young]);
  expect((await it.wharf("cache prune --max-size 13K")).code).toBe(0);
  expect(await names()).toEqual([young]);
  expect((await it.wharf("cache prune")).out).toStartWith("removed 1 ");
  expect(await names()).toEqual([]);
});

test("what a running pull needs stays, and what one left that has ended goes", async () => {
  const needed = addBlob("needed", 40);
  const forgotten = addBlob("forgotten", 40);
  const me = await readProcessIdentity();
  const hold = (name: string, holder: unknown, digest: string): void =>
    writeFileSync(join(folder.running, name), JSON.stringify({ holder, digests: [digest] }));
  hold("aaaaaaaaaaaaaaaa.json", me, needed);
  hold("bbbbbbbbbbbbbbbb.json", { ...me, started: "1" }, forgotten);
  const arriving = `${folder.partialPrefix(digestOf("x"))}.0011223344556677`;
  writeFileSync(`${arriving}.data`, "x");
  writeFileSync(`${arriving}.arrived`, "0 1\n");
  writeFileSync(`${folder.partialPrefix(digestOf("x"))}.claim`, JSON.stringify({ holder: me, name: "x.1" }));
  const pruned = await pruneCache(context, folder, { now });
  expect(pruned.removed.map(({ name }) => name)).toEqual([forgotten]);
  expect(pruned.heldCount).toBe(3);
  expect(existsSync(`${arriving}.data`)).toBe(true);
  expect(readdirSync(folder.running)).toEqual(["aaaaaaaaaaaaaaaa.json"]);
  writeFileSync(
    `${folder.partialPrefix(digestOf("x"))}.claim`,
    JSON.stringify({ holder: { ...me, started: "1" }, name: "x.1" }),
  );
  writeFileSync(`${folder.partialPrefix(digestOf("y"))}.0011223344556677.arrived`, "0 1\n");
  await pruneCache(context, folder, { now });
  expect(readdirSync(folder.partial)).toEqual([]);
});

test("a result that was pulled takes no room, and its file stays when it goes", async () => {
  writeFileSync(join(it.home, "saved.tar"), savedImage());
  expect((await it.wharf("pull docker-archive:saved.tar out.squashfs")).code).toBe(0);
  const before = readFileSync(join(it.home, "out.squashfs"));
  const [result] = await listCache(folder);
  expect(result).toMatchObject({ kind: "result", name: "docker-archive:saved.tar linux/amd64 squashfs" });
  if (statSync(join(it.home, "out.squashfs")).nlink > 1) expect(result?.sizeBytes).toBe(0);
  expect((await it.wharf("cache list")).out).toContain("docker-archive:saved.tar");
  expect((await it.wharf("cache prune")).code).toBe(0);
  expect(await names()).toEqual([]);
  expect(readFileSync(join(it.home, "out.squashfs"))).toEqual(before);
});

test("a limit that is none is refused", async () => {
  expect((await it.wharf("cache prune --older soon")).err).toContain("12h, 30d or 8w");
  expect((await it.wharf("cache prune --max-size big")).err).toContain("20G");
});
