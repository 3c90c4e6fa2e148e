/**
 * Follows growing files and hashes them beside the thread that serves, so that the digest is there when the last byte is.
 * A file stays open while it is followed: its inode cannot be used again meanwhile, so what was hashed is what is in the file.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { HashAnswer, HashRequest } from "./hash-messages.ts";
import { type Libc, openLibc } from "./libc.ts";

declare const self: Worker;

interface Followed {
  readonly fd: number;
  readonly path: string;
  readonly algorithm: "sha256" | "sha512";
  readonly hasher: Bun.CryptoHasher;
  hashedBytes: number;
  flushedBytes: number;
  growing: boolean;
  /** What the file held when it was paused: hashed so far while nobody waits. */
  pausedBytes: number;
  /** Answer when so many bytes are hashed. */
  wanted: { readonly job: number; readonly sizeBytes: number } | undefined;
}

const READ_BYTES = 1024 * 1024;
const READS_PER_TURN = 4;
const FLUSH_BYTES = 8 * 1024 * 1024;
/**
 * Before Bun.write (1.4.5) writes a body that has arrived whole, it makes the file as long as the body: zeros for a moment. It holds
 * at most 1.5 MB of a body before somebody reads it, so what lies further from the end of a growing file has been written.
 */
const UNSURE_BYTES = 4 * 1024 * 1024;
const POLL_MILLISECONDS = 2;
/** Uploads between two requests whose hash is remembered; beyond it the oldest is hashed again from its start. */
const MAX_FOLLOWED = 128;

const buffer = new Uint8Array(READ_BYTES);
const followed = new Map<string, Followed>();
const libc = tryOpenLibc();
let turning = false;

self.onmessage = (event: MessageEvent<HashRequest>) => {
  const request = event.data;
  try {
    if (request.kind === "drop") drop(request.id);
    else if (request.kind === "pause") pause(request.id, request.sizeBytes);
    else follow(request);
  } catch (cause) {
    drop(request.id);
    if (request.kind === "digest") answer({ job: request.job, error: String(cause) });
  }
};

function follow(request: Extract<HashRequest, { kind: "follow" | "digest" }>): void {
  let file = followed.get(request.id);
  if (file !== undefined && (file.algorithm !== request.algorithm || !isSameFile(file, request.path))) {
    drop(request.id);
    file = undefined;
  }
  file ??= open(request);
  if (request.kind === "digest") file.wanted = { job: request.job, sizeBytes: request.sizeBytes };
  else file.growing = true;
  if (!turning) {
    turning = true;
    setImmediate(turn);
  }
}

function open(request: { id: string; path: string; algorithm: "sha256" | "sha512" }): Followed {
  for (const [id, file] of followed) {
    if (followed.size < MAX_FOLLOWED) break;
    if (!isActive(file)) drop(id);
  }
  const file: Followed = {
    fd: openSync(request.path, "r"),
    path: request.path,
    algorithm: request.algorithm,
    hasher: new Bun.CryptoHasher(request.algorithm),
    hashedBytes: 0,
    flushedBytes: 0,
    growing: false,
    pausedBytes: 0,
    wanted: undefined,
  };
  followed.set(request.id, file);
  return file;
}

function turn(): void {
  let progressed = false;
  let busy = false;
  for (const [id, file] of followed) {
    if (!isActive(file)) continue;
    busy = true;
    try {
      for (let read = 0; read < READS_PER_TURN && step(file); read++) progressed = true;
    } catch (cause) {
      const wanted = file.wanted;
      drop(id);
      if (wanted !== undefined) answer({ job: wanted.job, error: String(cause) });
    }
  }
  if (!busy) {
    turning = false;
  } else if (progressed) {
    setImmediate(turn);
  } else {
    setTimeout(turn, POLL_MILLISECONDS);
  }
}

/** Hashes one piece; false when there was nothing to do. */
function step(file: Followed): boolean {
  const room = Math.min(READ_BYTES, writtenBytes(file) - file.hashedBytes);
  const count = room > 0 ? readSync(file.fd, buffer, 0, room, file.hashedBytes) : 0;
  if (count > 0) {
    file.hasher.update(buffer.subarray(0, count));
    file.hashedBytes += count;
    if (file.growing && file.hashedBytes - file.flushedBytes >= FLUSH_BYTES) {
      // Begun early and from this thread, so that the fsync at the end finds little left to write.
      libc?.startWriteback(file.fd, file.flushedBytes, file.hashedBytes - file.flushedBytes);
      file.flushedBytes = file.hashedBytes;
    }
  }
  const wanted = file.wanted;
  if (wanted === undefined) return count > 0;
  if (file.hashedBytes === wanted.sizeBytes) {
    file.wanted = undefined;
    file.growing = false;
    answer({ job: wanted.job, hex: file.hasher.copy().digest("hex") });
  } else if (count === 0) {
    throw new Error(`the file holds ${file.hashedBytes} bytes, not ${wanted.sizeBytes}`);
  }
  return count > 0;
}

/** How much of the file is sure to be what was sent. */
function writtenBytes(file: Followed): number {
  if (file.wanted !== undefined) return file.wanted.sizeBytes;
  return file.growing ? fstatSync(file.fd).size - UNSURE_BYTES : file.pausedBytes;
}

function isSameFile(file: Followed, path: string): boolean {
  const open = fstatSync(file.fd);
  const named = statSync(path, { throwIfNoEntry: false });
  return named !== undefined && named.ino === open.ino && named.dev === open.dev;
}

function isActive(file: Followed): boolean {
  return file.growing || file.wanted !== undefined || file.hashedBytes < file.pausedBytes;
}

function pause(id: string, sizeBytes: number): void {
  const file = followed.get(id);
  if (file === undefined) return;
  file.growing = false;
  file.pausedBytes = sizeBytes;
}

function drop(id: string): void {
  const file = followed.get(id);
  if (file === undefined) return;
  followed.delete(id);
  closeSync(file.fd);
}

function answer(message: HashAnswer): void {
  self.postMessage(message);
}

function tryOpenLibc(): Libc | undefined {
  try {
    return openLibc();
  } catch {
    // Early writeback is a hint: without it only the fsync at the end takes longer.
    return undefined;
  }
}
