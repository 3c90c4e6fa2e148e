/**
 * `wharf pull` killed at moments picked by chance: the cache is never wrong, and the next pull goes on and is right. 6 kills; 50 with SLOW=1, which
 * says what it saw (WHARF_REPORT names a file for it).
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#oci";
import { Stretches } from "../src/images/cache/stretches.ts";
import { type BlobRegistry, startBlobRegistry } from "./support/blob-registry.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { noiseBytes } from "./support/squashfs-trees.ts";
import { renderTarItems } from "./support/tar-writer.ts";
import { wharfFromSource } from "./support/wharf-process.ts";

// Each pull is a process of its own; a busy machine takes its time over it.
setDefaultTimeout(1_800_000);

const isSlow = process.env["SLOW"] === "1";
const KILLS = isSlow ? 50 : 6;
const LAYER_BYTES = 14_000_000;

let scratch: Scratch;
let registry: BlobRegistry;
let expected: string;
const figures = {
  kills: 0,
  whileArriving: 0,
  afterwards: 0,
  ended: 0,
  again: 0,
  anew: 0,
  blobs: 0,
  whole: 0,
};

beforeAll(async () => {
  scratch = createScratch("kills");
  registry = startBlobRegistry(
    ["one", "two", "three"].map((path) => renderTarItems([{ path, content: noiseBytes(LAYER_BYTES) }])),
  );
  const home = homeOf("reference");
  expect(await pull(home).exited).toBe(0);
  expected = resultOf(home) ?? "";
  rmSync(home, { recursive: true });
});
afterAll(async () => {
  await registry.stop();
  scratch.remove();
});

function homeOf(name: string): string {
  mkdirSync(scratch.at(name));
  return scratch.at(name);
}

function pull(home: string): Bun.Subprocess {
  return Bun.spawn([...wharfFromSource, "pull", registry.image, "out.squashfs", "--quiet"], {
    cwd: home,
    env: { HOME: home, PATH: process.env.PATH ?? "" },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** undefined where there is none. */
function resultOf(home: string): string | undefined {
  const path = join(home, "out.squashfs");
  return existsSync(path) ? digestOf(readFileSync(path)) : undefined;
}

/** Bytes of blobs that the cache says it has: whole ones, and stretches of those on their way. */
function recordedBytes(home: string): number {
  const cache = join(home, ".cache", "wharf", "images");
  const sizes = listed(join(cache, "blobs", "sha256")).map((path) => statSync(path).size);
  const arrived = listed(join(cache, "partial"))
    .filter((path) => path.endsWith(".arrived") && existsSync(path.replace(/arrived$/, "data")))
    .map((path) => {
      const stretches = new Stretches();
      for (const line of readFileSync(path, "utf8").split("\n").slice(0, -1)) {
        const [from = 0, to = 0] = line.split(" ").map(Number);
        stretches.add(from, to);
      }
      return stretches.sizeBytes;
    });
  return [...sizes, ...arrived].reduce((sum, size) => sum + size, 0);
}

function listed(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** Everything that has a blob's name has its digest. */
function checkBlobs(home: string): number {
  const folder = join(home, ".cache", "wharf", "images", "blobs", "sha256");
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of names) expect(digestOf(readFileSync(join(folder, name)))).toBe(`sha256:${name}`);
  return names.length;
}

test(`${KILLS} pulls, each killed once`, async () => {
  for (let kill = 0; kill < KILLS; kill++) {
    const home = homeOf(`home-${kill}`);
    registry.servedBytes = 0;
    // Two of three while bytes arrive, the others in what follows.
    const isArriving = kill % 3 !== 2;
    const atBytes = isArriving ? Math.random() * registry.totalBytes : registry.totalBytes;
    const child = pull(home);
    const killed = Promise.withResolvers<void>();
    let isDone = false;
    registry.onServed = () => {
      if (isDone || registry.servedBytes < atBytes) return;
      isDone = true;
      setTimeout(
        () => {
          child.kill("SIGKILL");
          killed.resolve();
        },
        isArriving ? 0 : Math.random() * 400,
      );
    };
    const code = await child.exited;
    await killed.promise;
    registry.onServed = undefined;
    const recorded = recordedBytes(home);
    figures.kills++;
    if (code === 0) figures.ended++;
    else if (isArriving) figures.whileArriving++;
    else figures.afterwards++;
    figures.blobs += checkBlobs(home);
    const before = resultOf(home);
    if (before !== undefined) {
      // Named only when it is whole.
      expect(before).toBe(expected);
      figures.whole++;
      rmSync(join(home, "out.squashfs"));
    }

    registry.servedBytes = 0;
    expect(await pull(home).exited).toBe(0);
    expect(resultOf(home)).toBe(expected);
    checkBlobs(home);
    // Manifest and config are among the blobs, and some hundred bytes each.
    expect(registry.servedBytes).toBeLessThanOrEqual(registry.totalBytes - recorded + 2000);
    if (registry.servedBytes < registry.totalBytes) figures.again++;
    else figures.anew++;
    // At most a claim or a record of the one that was killed is left, which nobody minds and pruning takes.
    const partial = join(home, ".cache", "wharf", "images", "partial");
    expect(readdirSync(partial).filter((name) => name.endsWith(".data"))).toEqual([]);
    rmSync(home, { recursive: true });
  }
  const rows: readonly (readonly [string, number])[] = [
    ["pulls that were killed", figures.kills],
    ["while bytes arrived", figures.whileArriving],
    ["after all had arrived", figures.afterwards],
    ["too late: the pull had ended well", figures.ended],
    ["results that were there after the kill, all whole", figures.whole],
    ["blobs that had their name after the kill, all right", figures.blobs],
    ["next pulls that were right", figures.kills],
    ["of these, fetched less than the whole", figures.again],
    ["of these, fetched all: killed before anything was written", figures.anew],
  ];
  const text = rows.map(([what, count]) => `| ${what} | ${count} |\n`).join("");
  if (isSlow) process.stdout.write(text);
  const file = process.env["WHARF_REPORT"];
  if (isSlow && file !== undefined) writeFileSync(file, text);
});

test("three pulls at once of one image fetch it once", async () => {
  const home = homeOf("together");
  registry.servedBytes = 0;
  const children = ["a", "b", "c"].map((name) => {
    mkdirSync(join(home, name));
    return Bun.spawn([...wharfFromSource, "pull", registry.image, `${name}/out.squashfs`, "--quiet"], {
      cwd: home,
      env: { HOME: home, PATH: process.env.PATH ?? "" },
      stdio: ["ignore", "ignore", "inherit"],
    });
  });
  expect(await Promise.all(children.map((child) => child.exited))).toEqual([0, 0, 0]);
  for (const name of ["a", "b", "c"]) expect(resultOf(join(home, name))).toBe(expected);
  // The config is small, and each may have asked for it.
  expect(registry.servedBytes).toBeLessThan(registry.totalBytes + 10_000);
});

test("a pull that is interrupted leaves nothing beside its target, and no claim", async () => {
  const home = homeOf("interrupted");
  registry.servedBytes = 0;
  const child = pull(home);
  registry.onServed = () => {
    if (registry.servedBytes > registry.totalBytes / 3) child.kill("SIGINT");
  };
  expect(await child.exited).toBe(130);
  registry.onServed = undefined;
  expect(readdirSync(home)).toEqual([".cache"]);
  const cache = join(home, ".cache", "wharf", "images");
  expect(readdirSync(join(cache, "partial")).filter((name) => name.endsWith(".claim"))).toEqual([]);
  expect(readdirSync(join(cache, "running"))).toEqual([]);
  const recorded = recordedBytes(home);
  expect(recorded).toBeGreaterThan(0);
  registry.servedBytes = 0;
  expect(await pull(home).exited).toBe(0);
  expect(resultOf(home)).toBe(expected);
  expect(registry.servedBytes).toBeLessThanOrEqual(registry.totalBytes - recorded + 2000);
});
