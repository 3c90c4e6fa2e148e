import { afterEach, beforeEach, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toAppError } from "#core";
import { findProgram, needsThat } from "../../test/support/programs.ts";
import { until } from "../../test/support/until.ts";
import type { BlobStore } from "./contract.ts";
import { openFolderStore } from "./folder-store.ts";

const canMount = process.getuid?.() === 0 && findProgram("mount") !== undefined;
const MIB = 1024 * 1024;
let dir: string;
let store: BlobStore;
let server: Bun.Server<undefined>;
let failures: string[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "wharf-blobs-"));
  store = await openFolderStore({ dir });
  failures = [];
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    maxRequestBodySize: 512 * MIB,
    async fetch(request) {
      const url = new URL(request.url);
      const start = url.searchParams.get("start");
      try {
        const status = await store.append(url.pathname.slice(1), request, {
          maxBytes: 40 * MIB,
          ...(start === null ? {} : { startBytes: Number(start) }),
        });
        return Response.json(status);
      } catch (cause) {
        failures.push(toAppError(cause).code);
        return new Response(toAppError(cause).code, { status: 400 });
      }
    },
  });
});
afterEach(async () => {
  await server.stop(true);
  await store.close();
  rmSync(dir, { recursive: true });
});

const digest = (bytes: Uint8Array, algorithm = "sha256"): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
const send = (id: string, body: Uint8Array<ArrayBuffer> | ReadableStream, query = ""): Promise<Response> =>
  fetch(`${server.url.href}${id}${query}`, { method: "PATCH", body });
const inlineNothing = { inlineBytes: -1 };

for (const algorithm of ["sha256", "sha512"]) {
  test(`pieces of any size become one object (${algorithm})`, async () => {
    const bytes = new Uint8Array(randomBytes(11 * MIB + 17));
    for (const [from, to] of [
      [0, 1],
      [1, 5 * MIB],
      [5 * MIB, 5 * MIB],
      [5 * MIB, bytes.length],
    ] as const)
      expect(await (await send("up-1", bytes.slice(from, to))).json()).toEqual({ receivedBytes: to });
    const object = await store.finish("up-1", digest(bytes, algorithm), inlineNothing);
    if (object.kind !== "object") throw new Error("expected an object");
    expect(object.sizeBytes).toBe(bytes.length);
    expect(Buffer.from(await store.open(object).arrayBuffer()).equals(bytes)).toBe(true);
    expect(new Uint8Array(await store.open(object, 10, 12).arrayBuffer())).toEqual(bytes.slice(10, 12));
    expect(await store.status("up-1")).toBeUndefined();
    await store.remove(object.name);
    await store.remove(object.name);
    expect(readdirSync(join(dir, "blobs", object.name.slice(7, 9)))).toEqual([]);
  });
}

test("a body of unknown length streams in", async () => {
  const bytes = new Uint8Array(randomBytes(3 * MIB));
  const body = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 100_000) controller.enqueue(bytes.slice(at, at + 100_000));
      controller.close();
    },
  });
  expect(await (await send("stream", body)).json()).toEqual({ receivedBytes: bytes.length });
  expect(await store.finish("stream", digest(bytes), inlineNothing)).toMatchObject({
    sizeBytes: bytes.length,
  });
});

test("an upload is continued by another store on the same folder: a restart, or a second process", async () => {
  const bytes = new Uint8Array(randomBytes(2 * MIB));
  await send("again", bytes.slice(0, MIB));
  await store.close();
  store = await openFolderStore({ dir });
  expect(await store.status("again")).toEqual({ receivedBytes: MIB });
  await send("again", bytes.slice(MIB));
  expect(await store.finish("again", digest(bytes), inlineNothing)).toMatchObject({ kind: "object" });
});

test("what was hashed of a dropped upload is not taken for what a new one of the same id holds", async () => {
  const other = await openFolderStore({ dir });
  await send("reused", new Uint8Array(randomBytes(MIB)));
  await other.cancel("reused");
  await other.close();
  const bytes = new Uint8Array(randomBytes(2 * MIB));
  await send("reused", bytes);
  expect(await store.finish("reused", digest(bytes), inlineNothing)).toMatchObject({ kind: "object" });
});

test("a wrong digest is refused and ends the upload", async () => {
  const bytes = new Uint8Array(randomBytes(MIB));
  await send("wrong", bytes);
  const finished = store.finish("wrong", digest(new Uint8Array(1)), inlineNothing);
  await expect(finished).rejects.toMatchObject({ code: "DIGEST_INVALID" });
  expect(await store.status("wrong")).toBeUndefined();
  expect(readdirSync(join(dir, "uploads"))).toEqual([]);
});

test("few bytes are given back instead of kept", async () => {
  const bytes = new Uint8Array([1, 2, 3]);
  await send("small", bytes);
  expect(await store.finish("small", digest(bytes), { inlineBytes: 3 })).toEqual({ kind: "inline", bytes });
  await send("empty", new Uint8Array(0));
  expect(await store.finish("empty", digest(new Uint8Array(0)), { inlineBytes: 3 })).toMatchObject({
    bytes: new Uint8Array(0),
  });
  expect(readdirSync(join(dir, "uploads"))).toEqual([]);
});

test("bytes at hand are kept", async () => {
  const bytes = new Uint8Array(randomBytes(30_000));
  const object = await store.keep(bytes, digest(bytes));
  expect(Buffer.from(await store.open(object).arrayBuffer()).equals(bytes)).toBe(true);
  expect(readdirSync(join(dir, "uploads"))).toEqual([]);
});

test("a chunk that does not begin where the upload ends is refused unread", async () => {
  await send("ordered", new Uint8Array(10));
  expect(await (await send("ordered", new Uint8Array(10), "?start=5")).text()).toBe("RANGE_INVALID");
  expect(await (await send("ordered", new Uint8Array(10), "?start=10")).json()).toEqual({
    receivedBytes: 20,
  });
});

test("more than the limit is refused, and the upload is gone", async () => {
  expect(await (await send("large", new Uint8Array(41 * MIB))).text()).toBe("TOO_LARGE");
  expect(await store.status("large")).toBeUndefined();
});

test("a body without a length and without an end is refused while it comes, and takes no disk then", async () => {
  const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(MIB), Buffer.from("\r\n")]);
  const answer = Promise.withResolvers<string>();
  const socket = connect(server.port ?? 0, "127.0.0.1", () => {
    socket.write("PATCH /endless HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    const more = (): void => {
      if (failures.length === 0) socket.write(chunk, more);
    };
    more();
  });
  socket.on("data", (bytes) => answer.resolve(bytes.toString()));
  // Whoever still sends may see the end of the connection before the answer.
  socket.on("error", () => answer.resolve("TOO_LARGE"));
  expect(await answer.promise).toContain("TOO_LARGE");
  expect(failures).toEqual(["TOO_LARGE"]);
  socket.destroy();
  expect(await store.status("endless")).toBeUndefined();
  expect(readdirSync(join(dir, "uploads"))).toEqual([]);
  // The descriptor is let go once nothing writes to it any more: then the id is free.
  await until("the upload is let go", async () =>
    (await send("endless", new Uint8Array(1))).status === 200 ? true : undefined,
  );
  expect(await store.status("endless")).toEqual({ receivedBytes: 1 });
});

test("an empty body, announced, chunked or cut off, takes nothing away", async () => {
  await send("kept", new Uint8Array(MIB));
  const empty = new ReadableStream({ start: (controller) => controller.close() });
  expect(await (await send("kept", empty)).json()).toEqual({ receivedBytes: MIB });
  expect(await (await send("kept", new Uint8Array(0))).json()).toEqual({ receivedBytes: MIB });
  const socket = connect(server.port ?? 0, "127.0.0.1", () => {
    socket.write("PATCH /kept HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n", () =>
      setImmediate(() => socket.destroy()),
    );
  });
  while (failures.length === 0) await new Promise(setImmediate);
  expect(await store.status("kept")).toEqual({ receivedBytes: MIB });
  const chunked = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(MIB));
      controller.close();
    },
  });
  expect(await (await send("kept", chunked)).json()).toEqual({ receivedBytes: 2 * MIB });
  expect(await store.finish("kept", digest(new Uint8Array(2 * MIB)), inlineNothing)).toMatchObject({
    sizeBytes: 2 * MIB,
  });
});

test("a sender that goes away leaves what arrived; the upload goes on", async () => {
  const bytes = new Uint8Array(randomBytes(MIB));
  const arrived = Promise.withResolvers<void>();
  const socket = connect(server.port ?? 0, "127.0.0.1", () => {
    socket.write(`PATCH /cut HTTP/1.1\r\nhost: x\r\ncontent-length: ${2 * MIB}\r\n\r\n`);
    socket.write(bytes, () => arrived.resolve());
  });
  await arrived.promise;
  while ((await store.status("cut"))?.receivedBytes !== MIB) await new Promise(setImmediate);
  socket.destroy();
  while (failures.length === 0) await new Promise(setImmediate);
  expect(failures).toEqual(["INTERRUPTED"]);
  expect(await store.status("cut")).toEqual({ receivedBytes: MIB });
  const rest = new Uint8Array(randomBytes(MIB));
  await send("cut", rest);
  const all = Buffer.concat([bytes, rest]);
  expect(await store.finish("cut", digest(all), inlineNothing)).toMatchObject({ sizeBytes: 2 * MIB });
});

test("while one request works on an upload, others are refused, in another process too", async () => {
  const other = await openFolderStore({ dir });
  const opened = Promise.withResolvers<ReadableStreamDefaultController>();
  const body = new ReadableStream({ start: (controller) => opened.resolve(controller) });
  const first = send("held", body);
  const controller = await opened.promise;
  controller.enqueue(new Uint8Array(100_000));
  while (((await store.status("held"))?.receivedBytes ?? 0) === 0) await new Promise(setImmediate);
  expect(await (await send("held", new Uint8Array(10))).text()).toBe("CONFLICT");
  await expect(other.finish("held", digest(new Uint8Array(1)), inlineNothing)).rejects.toMatchObject({
    code: "CONFLICT",
  });
  await expect(other.cancel("held")).rejects.toMatchObject({ code: "CONFLICT" });
  controller.close();
  expect(await (await first).json()).toEqual({ receivedBytes: 100_000 });
  await other.cancel("held");
  await other.close();
});

test("uploads left alone vanish, others stay", async () => {
  await send("old", new Uint8Array(10));
  await send("new", new Uint8Array(10));
  const yesterday = new Date(Date.now() - 86_400_000);
  utimesSync(join(dir, "uploads/old"), yesterday, yesterday);
  expect(await store.expireUploads(new Date(Date.now() - 3_600_000), 100)).toBe(1);
  expect(readdirSync(join(dir, "uploads"))).toEqual(["new"]);
});

needsThat(canMount, "needs root, to mount a small tmpfs")(
  "a body that fills the disk leaves no bytes behind, and others go on",
  async () => {
    const disk = mkdtempSync(join(tmpdir(), "wharf-blobs-full-"));
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]).exitCode).toBe(0);
    const before = store;
    store = await openFolderStore({ dir: disk });
    try {
      expect(await (await send("large", new Uint8Array(8 * MIB))).text()).toBe("STORAGE_FULL");
      expect(readdirSync(join(disk, "uploads"))).toEqual([]);
      const tooMuch = store.keep(new Uint8Array(8 * MIB), digest(new Uint8Array(8 * MIB)));
      await expect(tooMuch).rejects.toMatchObject({ code: "STORAGE_FULL" });
      expect(readdirSync(join(disk, "uploads"))).toEqual([]);
      const bytes = new Uint8Array(randomBytes(2 * MIB));
      await send("fits", bytes);
      expect(await store.finish("fits", digest(bytes), inlineNothing)).toMatchObject({ kind: "object" });
    } finally {
      await store.close();
      store = before;
      expect(Bun.spawnSync(["umount", "-l", disk]).exitCode).toBe(0);
      rmSync(disk, { recursive: true });
    }
  },
);

test("names that are not ours never become paths", async () => {
  for (const id of ["../x", "a/b", "", "a".repeat(129), "."])
    await expect(store.finish(id, digest(new Uint8Array(1)), inlineNothing)).rejects.toMatchObject({
      code: "UPLOAD_UNKNOWN",
    });
  expect(() => store.open({ name: "../../etc/passwd" })).toThrow("not the name of an object");
  await expect(store.finish("x", "sha256:../../x", inlineNothing)).rejects.toMatchObject({
    code: "DIGEST_INVALID",
  });
});

test("a body that has arrived whole before it is read is kept once, first or later piece (Bun.write and fallocate)", async () => {
  const slow = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      // Until the body is here; most are after one turn already.
      for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
      return Response.json(
        await store.append(new URL(request.url).pathname.slice(1), request, { maxBytes: 40 * MIB }),
      );
    },
  });
  try {
    for (let round = 0; round < 12; round++) {
      const id = `whole-${round}`;
      const pieces = [1_300_000, 200_000, 5 * MIB, 70_000, 1_000_000].map(
        (size) => new Uint8Array(randomBytes(size)),
      );
      let sent = 0;
      for (const piece of pieces) {
        const answer = await fetch(`${slow.url.href}${id}`, { method: "PATCH", body: piece });
        sent += piece.length;
        expect(await answer.json()).toEqual({ receivedBytes: sent });
      }
      const bytes = new Uint8Array(Buffer.concat(pieces));
      expect(await store.finish(id, digest(bytes), inlineNothing)).toMatchObject({ sizeBytes: bytes.length });
    }
  } finally {
    await slow.stop(true);
  }
}, 30_000);
