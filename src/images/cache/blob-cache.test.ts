import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Context, silentLogger } from "#core";
import { digestOf } from "#oci";
import { createScratch, type Scratch } from "../../../test/support/scratch.ts";
import type { ByteSource } from "../contract.ts";
import { type BlobCache, type BlobCacheOptions, openBlobCache } from "./blob-cache.ts";
import { type CacheFolder, openCacheFolder } from "./cache-folder.ts";
import type { BlobOrigin } from "./contract.ts";

const SIZE = 5_000_003;
const bytes = Buffer.alloc(
  SIZE,
  (() => {
    const block = new Uint8Array(65_537);
    for (let at = 0; at < block.length; at++) block[at] = (at * 7919) >> 3;
    return block;
  })(),
);
const digest = digestOf(bytes);
const address = { digest, sizeBytes: SIZE };
const context: Context = { signal: new AbortController().signal, log: silentLogger };

let scratch: Scratch;
let folder: CacheFolder;
let open: BlobCache[] = [];

beforeEach(async () => {
  scratch = createScratch("cache");
  folder = await openCacheFolder(scratch.at("cache"));
});
afterEach(async () => {
  for (const cache of open) await cache.close();
  open = [];
  scratch.remove();
});

function cacheOf(options: BlobCacheOptions = {}): BlobCache {
  const cache = openBlobCache(context, folder, { stretchBytes: 300_000, connections: 4, ...options });
  open.push(cache);
  return cache;
}

interface Peer extends BlobOrigin {
  readonly asked: { readonly from: number; readonly length: number }[];
  servedBytes: number;
}

/** Gives stretches of `content` in small pieces. */
function peerOf(
  content: Uint8Array,
  how: { readonly hasRanges?: boolean; readonly stopAt?: number } = {},
): Peer {
  const peer: Peer = {
    asked: [],
    servedBytes: 0,
    async open(_context, { offset, lengthBytes }) {
      peer.asked.push({ from: offset, length: lengthBytes });
      const from = how.hasRanges === false ? 0 : offset;
      const end = how.hasRanges === false ? content.length : offset + lengthBytes;
      async function* body(): AsyncGenerator<Uint8Array> {
        for (let at = from; at < end; at += 50_000) {
          if (how.stopAt !== undefined && peer.servedBytes >= how.stopAt) throw new Error("the line is cut");
          await Promise.resolve();
          const piece = content.subarray(at, Math.min(end, at + 50_000));
          peer.servedBytes += piece.length;
          yield piece;
        }
      }
      return { from, to: end, body: body() };
    },
  };
  return peer;
}

async function readAll(source: ByteSource): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < source.sizeBytes; ) {
    const piece = await source.read(at, 700_000, context);
    expect(piece.length).toBeGreaterThan(0);
    pieces.push(piece);
    at += piece.length;
  }
  return Buffer.concat(pieces);
}

const partials = (): readonly string[] => readdirSync(folder.partial);

describe("a blob that is not in the cache", () => {
  test("is fetched by several connections, in order first, and kept", async () => {
    const peer = peerOf(bytes);
    const cache = cacheOf();
    expect(digestOf(await readAll(cache.blob(address, [peer])))).toBe(digest);
    await cache.settle();
    expect(peer.asked).toHaveLength(Math.ceil(SIZE / 300_000));
    expect(peer.asked[0]).toEqual({ from: 0, length: 300_000 });
    expect(peer.servedBytes).toBe(SIZE);
    expect(digestOf(readFileSync(folder.blobPath(digest)))).toBe(digest);
    expect(partials()).toEqual([]);

    const again = peerOf(bytes);
    expect(digestOf(await readAll(cacheOf().blob(address, [again])))).toBe(digest);
    expect(again.asked).toEqual([]);
  });

  test("comes whole from a registry that knows no ranges, and once", async () => {
    const peer = peerOf(bytes, { hasRanges: false });
    expect(digestOf(await readAll(cacheOf().blob(address, [peer])))).toBe(digest);
    expect(peer.servedBytes).toBeLessThan(2 * SIZE);
  });

  test("is looked for where it may be, in order", async () => {
    const none: BlobOrigin = { open: async () => undefined };
    const peer = peerOf(bytes);
    expect(digestOf(await readAll(cacheOf().blob(address, [none, peer])))).toBe(digest);
    await expect(
      readAll(cacheOf().blob({ ...address, digest: digestOf("x") }, [none])),
    ).rejects.toMatchObject({
      code: "BLOB_UNKNOWN",
    });
  });

  test("is read while it arrives, all but its last byte", async () => {
    let goOn = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const held: BlobOrigin = {
      async open(_context, { offset }) {
        async function* body(): AsyncGenerator<Uint8Array> {
          yield bytes.subarray(offset, 2_000_000);
          await gate;
          yield bytes.subarray(2_000_000);
        }
        return { from: offset, to: SIZE, body: body() };
      },
    };
    const source = cacheOf({ stretchBytes: SIZE }).blob(address, [held]);
    expect((await source.read(0, 1000, context)).length).toBe(1000);
    expect((await source.read(1_500_000, 1_000_000, context)).length).toBeLessThanOrEqual(500_000);
    goOn();
    expect((await source.read(SIZE - 1, 10, context)).length).toBe(1);
    expect((await source.read(SIZE, 10, context)).length).toBe(0);
  });

  test("that is another one fails before its last byte, and leaves nothing", async () => {
    const wrong = Buffer.from(bytes);
    wrong[SIZE - 1] = (wrong[SIZE - 1] ?? 0) ^ 1;
    const cache = cacheOf();
    const source = cache.blob(address, [peerOf(wrong)]);
    await expect(readAll(source)).rejects.toMatchObject({ code: "DIGEST_INVALID" });
    await expect(cache.settle()).rejects.toMatchObject({ code: "DIGEST_INVALID" });
    await cache.close();
    expect(partials()).toEqual([]);
    expect(existsSync(folder.blobPath(digest))).toBe(false);
  });

  test("is taken up to its size, and refused where it ends before", async () => {
    const longer = Buffer.concat([bytes, Buffer.from("!")]);
    const whole = cacheOf();
    expect(digestOf(await readAll(whole.blob(address, [peerOf(longer, { hasRanges: false })])))).toBe(digest);
    await whole.settle();
    const other = { digest: digestOf("another"), sizeBytes: SIZE };
    const shorter = cacheOf().blob(other, [peerOf(bytes.subarray(0, 4_000_000), { hasRanges: false })]);
    await expect(readAll(shorter)).rejects.toMatchObject({ code: "SIZE_INVALID" });
  });
});

describe("a pull that broke off", () => {
  test("is gone on with: what has arrived is not fetched again", async () => {
    const first = cacheOf();
    const cut = peerOf(bytes, { stopAt: 3_000_000 });
    await expect(readAll(first.blob(address, [cut]))).rejects.toThrow("the line is cut");
    await first.close();
    expect(partials().some((name) => name.endsWith(".arrived"))).toBe(true);

    const heard = { network: 0, cache: 0 };
    const second = cacheOf({ onBytes: (count, from) => (heard[from] += count) });
    const peer = peerOf(bytes);
    expect(digestOf(await readAll(second.blob(address, [peer])))).toBe(digest);
    await second.settle();
    expect(heard.network + heard.cache).toBe(SIZE);
    expect(peer.servedBytes).toBeLessThan(SIZE - 1_500_000);
    expect(partials()).toEqual([]);
  });

  test("goes on from a process that was killed: the claim of one that is gone is taken", async () => {
    const first = cacheOf();
    const cut = peerOf(bytes, { stopAt: 3_000_000 });
    await expect(readAll(first.blob(address, [cut]))).rejects.toThrow("the line is cut");
    await first.close();
    const base = partials()
      .find((name) => name.endsWith(".data"))
      ?.slice(0, -".data".length);
    const gone = Bun.spawnSync(["true"]).pid;
    const claim = { holder: await identityOf(gone), name: base };
    writeFileSync(`${folder.partialPrefix(digest)}.claim`, JSON.stringify(claim));

    const peer = peerOf(bytes);
    expect(digestOf(await readAll(cacheOf().blob(address, [peer])))).toBe(digest);
    expect(peer.servedBytes).toBeLessThan(SIZE - 1_500_000);
  });

  test("of another machine is taken over when its claim stands still, by a copy", async () => {
    const first = cacheOf();
    await expect(readAll(first.blob(address, [peerOf(bytes, { stopAt: 3_000_000 })]))).rejects.toThrow();
    await first.close();
    const base = partials()
      .find((name) => name.endsWith(".data"))
      ?.slice(0, -".data".length);
    const claim = { holder: { machine: "another", pid: 1, started: "1" }, name: base };
    writeFileSync(`${folder.partialPrefix(digest)}.claim`, JSON.stringify(claim));
    const peer = peerOf(bytes);
    const times = { staleMs: 50, beatMs: 1000, pollMs: 10 };
    const second = cacheOf({ times });
    expect(digestOf(await readAll(second.blob(address, [peer])))).toBe(digest);
    await second.settle();
    expect(peer.servedBytes).toBeLessThan(SIZE - 1_500_000);
    expect(partials()).toEqual([`${base}.abandoned`]);
  });

  test("whose record lies about what is there is found out, removed, and right the next time", async () => {
    const base = `${folder.partialPrefix(digest)}.0123456789abcdef`;
    writeFileSync(`${base}.data`, Buffer.alloc(SIZE));
    writeFileSync(`${base}.arrived`, `0 1000000\nnonsense\n9 8\n5000000 999999999\n1000000 20000`);
    const cache = cacheOf();
    await expect(readAll(cache.blob(address, [peerOf(bytes)]))).rejects.toMatchObject({
      code: "DIGEST_INVALID",
    });
    await cache.close();
    expect(partials()).toEqual([]);
    expect(digestOf(await readAll(cacheOf().blob(address, [peerOf(bytes)])))).toBe(digest);
  });
});

test("two pulls at once fetch a blob once", async () => {
  const peers = [peerOf(bytes), peerOf(bytes)];
  const read = await Promise.all(peers.map((peer) => readAll(cacheOf().blob(address, [peer]))));
  expect(read.map((content) => digestOf(content))).toEqual([digest, digest]);
  expect((peers[0]?.servedBytes ?? 0) + (peers[1]?.servedBytes ?? 0)).toBe(SIZE);
});

test("a damaged blob is fetched anew", async () => {
  const first = cacheOf();
  await readAll(first.blob(address, [peerOf(bytes)]));
  await first.close();
  truncateSync(folder.blobPath(digest), 100);
  const peer = peerOf(bytes);
  expect(digestOf(await readAll(cacheOf().blob(address, [peer])))).toBe(digest);
  expect(peer.servedBytes).toBe(SIZE);
});

test("a cache is its user's alone, or shared as its folder is", async () => {
  expect(statSync(folder.path).mode & 0o7777).toBe(0o700);
  const shared = scratch.at("shared");
  mkdirSync(shared);
  chmodSync(shared, 0o2775);
  const there = await openCacheFolder(shared);
  expect(statSync(join(shared, "blobs", "sha256")).mode & 0o7777).toBe(0o2775);
  expect(there.fileMode).toBe(0o644);
  expect(folder.fileMode).toBe(0o600);
  expect(() => folder.blobPath("sha256:../../etc/passwd")).toThrow("is not a digest");
});

/** As this machine would name a process of that number. */
async function identityOf(pid: number): Promise<unknown> {
  const { readProcessIdentity } = await import("#system");
  return { ...(await readProcessIdentity()), pid, started: "1" };
}
