import { createHash } from "node:crypto";
import { AppError, type Context, toAppError } from "#core";
import { parseDigest } from "#oci";
import type { BlobAddress, BlobOrigin } from "./contract.ts";
import type { Download, DownloadPool } from "./download-pool.ts";
import type { PartialBlob } from "./partial-blob.ts";
import { type Stretch, Stretches } from "./stretches.ts";

export interface ArrivalParts {
  readonly blob: BlobAddress;
  readonly partial: PartialBlob;
  /** Asked in this order, until one has the blob. */
  readonly origins: readonly BlobOrigin[];
  readonly pool: DownloadPool;
  /** One request brings at most so many bytes. */
  readonly stretchBytes: number;
  readonly onArrived: (bytes: number) => void;
}

const WRITE_BYTES = 1024 * 1024;
const HASH_BYTES = 1024 * 1024;

/** One blob on its way: what has arrived can be read at once, the last byte once the whole is known to be what was asked for. */
export class ArrivingBlob implements Download {
  /** Resolves when all bytes are there and right; rejects with what went wrong. */
  readonly verified: Promise<void>;
  readonly #parts: ArrivalParts;
  readonly #context: Context;
  readonly #stop = new AbortController();
  /** Arrived or on the way. */
  readonly #taken = new Stretches();
  #origin = 0;
  /** The other side gives the whole blob, whatever is asked for. */
  #isWhole = false;
  #failure: AppError | undefined;
  #isVerified = false;
  #waiters: (() => void)[] = [];

  constructor(context: Context, parts: ArrivalParts) {
    this.#parts = parts;
    this.#context = { ...context, signal: AbortSignal.any([context.signal, this.#stop.signal]) };
    for (const { from, to } of parts.partial.arrived.list()) this.#taken.add(from, to);
    parts.pool.add(this);
    this.verified = this.#verify();
    // Whoever reads or settles the blob hears of it; nobody else needs to.
    this.verified.catch(() => undefined);
  }

  /** Up to `length` bytes from `offset`, as soon as some are there. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const { blob, partial, pool } = this.#parts;
    const wanted = Math.min(length, blob.sizeBytes - offset);
    if (wanted <= 0) {
      await this.verified;
      return new Uint8Array();
    }
    const end = await this.#arrival(offset, () => pool.prefer(this));
    const bytes = Math.min(wanted, end - offset);
    if (offset + bytes === blob.sizeBytes) await this.verified;
    try {
      return await partial.read(offset, bytes);
    } catch (cause) {
      // Its file was closed because of it.
      throw this.#failure ?? cause;
    }
  }

  next(): (() => Promise<void>) | undefined {
    if (this.#failure !== undefined || this.#isWhole) return undefined;
    const { blob, stretchBytes } = this.#parts;
    const gap = this.#taken.firstGap(0, blob.sizeBytes);
    if (gap === undefined) return undefined;
    const stretch = { from: gap.from, to: Math.min(gap.to, gap.from + stretchBytes) };
    this.#taken.add(stretch.from, stretch.to);
    return async () => {
      try {
        await this.#fetch(stretch);
      } catch (cause) {
        this.#fail(cause);
      }
    };
  }

  /** Stops what is on the way. What has arrived stays. */
  stop(): void {
    this.#fail(new AppError("INTERRUPTED", "stopped while an image was pulled"));
  }

  async #fetch(stretch: Stretch): Promise<void> {
    const { blob, origins } = this.#parts;
    const origin = origins[this.#origin];
    const number = this.#origin;
    if (origin === undefined) throw missing(blob);
    const found = await origin.open(this.#context, {
      ...blob,
      offset: stretch.from,
      lengthBytes: stretch.to - stretch.from,
    });
    if (found === undefined) {
      if (this.#origin === number) this.#origin++;
      if (origins[this.#origin] === undefined) throw missing(blob);
      this.#taken.remove(stretch.from, stretch.to);
      return;
    }
    if (found.from === stretch.from && found.to === stretch.to) return this.#store(found.body, stretch);
    // One connection brings it all; the others go home.
    if (this.#isWhole) return letGo(found.body);
    this.#isWhole = true;
    this.#taken.add(0, blob.sizeBytes);
    await this.#store(found.body, { from: found.from, to: blob.sizeBytes });
  }

  async #store(body: AsyncIterable<Uint8Array>, stretch: Stretch): Promise<void> {
    let at = stretch.from;
    let chunks: Uint8Array[] = [];
    let held = 0;
    const flush = async (): Promise<void> => {
      if (held === 0) return;
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, held);
      chunks = [];
      held = 0;
      await this.#write(at, bytes);
      at += bytes.length;
    };
    try {
      for await (const chunk of body) {
        if (this.#failure !== undefined) return;
        // What follows the blob's end is not the blob's: the digest says whether it is all there.
        const piece = chunk.subarray(0, stretch.to - at - held);
        chunks.push(piece);
        held += piece.length;
        if (held >= WRITE_BYTES) await flush();
        if (at + held === stretch.to) break;
      }
    } finally {
      // What came before a cut counts.
      await flush();
    }
    if (at < stretch.to) throw tooShort(this.#parts.blob);
  }

  async #write(offset: number, bytes: Uint8Array): Promise<void> {
    const { partial, onArrived } = this.#parts;
    onArrived(await partial.write(offset, bytes));
    this.#wake();
  }

  /** The hash runs behind the bytes as they arrive; they are still in the machine's memory then. */
  async #verify(): Promise<void> {
    const { blob, partial, pool } = this.#parts;
    const { algorithm, text } = parseDigest(blob.digest);
    const hash = createHash(algorithm);
    try {
      for (let at = 0; at < blob.sizeBytes; ) {
        const end = await this.#arrival(at);
        const bytes = await partial.read(at, Math.min(HASH_BYTES, end - at));
        hash.update(bytes);
        at += bytes.length;
      }
      const digest = `${algorithm}:${hash.digest("hex")}`;
      if (digest !== text) throw changed(blob, digest);
      this.#isVerified = true;
    } catch (cause) {
      throw this.#fail(cause);
    } finally {
      pool.remove(this);
    }
  }

  /** Where the unbroken bytes end that begin at `offset`, once there is at least one. */
  async #arrival(offset: number, whileWaiting?: () => void): Promise<number> {
    for (;;) {
      const end = this.#parts.partial.arrived.endOf(offset);
      if (end > offset) return end;
      if (this.#failure !== undefined) throw this.#failure;
      whileWaiting?.();
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Gives the first failure: what follows from it says less. */
  #fail(cause: unknown): AppError {
    const failure = this.#failure ?? toAppError(cause);
    if (this.#isVerified) return failure;
    this.#failure = failure;
    this.#stop.abort();
    this.#parts.pool.remove(this);
    this.#wake();
    return failure;
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}

/** A body that nobody begins to read would hold its connection. */
async function letGo(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body) return;
}

function changed(blob: BlobAddress, digest: string): AppError {
  return new AppError("DIGEST_INVALID", `what came as ${blob.digest} has another digest`, {
    hint: "something between here and the registry changed it, or its storage is damaged; what came was removed: try again",
    details: { expected: blob.digest, digest },
  });
}

function missing(blob: BlobAddress): AppError {
  return new AppError("BLOB_UNKNOWN", `the blob ${blob.digest} is not where its manifest is`, {
    hint: "push the image again: a part of it was removed",
    details: { digest: blob.digest },
  });
}

function tooShort(blob: BlobAddress): AppError {
  return new AppError("SIZE_INVALID", `the blob ${blob.digest} is shorter than its manifest says`);
}
