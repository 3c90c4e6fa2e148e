import { AppError } from "#core";
import { BlockSlot } from "./block-slot.ts";
import type { BlockCodec } from "./compress-block.ts";
import type { CompressAnswer, CompressRequest } from "./compress-blocks.worker.ts";
import { workerUrl } from "./worker-url.ts";

export interface CompressionPoolOptions {
  readonly codec: BlockCodec;
  /** Threads. */
  readonly workers: number;
  /** Bytes of data that one slot holds: at least one block. */
  readonly slotBytes: number;
}

/** Filled ahead for each worker, so that none waits for the thread that reads. */
const SLOTS_PER_WORKER = 4;
/** Of all slots together, however many workers there are. */
const MAX_MEMORY_BYTES = 128 * 1024 * 1024;

interface PoolWorker {
  readonly worker: Worker;
  busy: number;
}

interface Job {
  readonly owner: PoolWorker;
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
}

/**
 * Threads that compress blocks, and a fixed number of slots that go round: `take` one, fill it, `submit` it, read its results, `release` it.
 * Which thread does what never shows in the results. `close` ends the threads; what was submitted is lost then.
 */
export class CompressionPool {
  readonly #slots: readonly BlockSlot[];
  readonly #free: BlockSlot[];
  readonly #workers: PoolWorker[] = [];
  readonly #jobs = new Map<number, Job>();
  #fault: AppError | undefined;

  constructor(options: CompressionPoolOptions) {
    const most = Math.floor(MAX_MEMORY_BYTES / options.slotBytes);
    const count = Math.max(2, Math.min(most, options.workers * SLOTS_PER_WORKER));
    this.#slots = Array.from({ length: count }, () => BlockSlot.ofBytes(options.slotBytes));
    this.#free = this.#slots.slice();
    for (let worker = 0; worker < options.workers; worker++) this.#start(options.codec);
  }

  /** An empty slot; undefined while all are in use. */
  take(): BlockSlot | undefined {
    const slot = this.#free.pop();
    slot?.clear();
    return slot;
  }

  /** Resolves when the slot's results are there. Throws INTERNAL when a thread died. */
  submit(slot: BlockSlot): Promise<void> {
    const index = this.#slots.indexOf(slot);
    const owner = this.#workers.reduce<PoolWorker | undefined>(
      (best, next) => (best === undefined || next.busy < best.busy ? next : best),
      undefined,
    );
    const done = new Promise<void>((resolve, reject) => {
      if (owner === undefined || this.#fault !== undefined) {
        reject(this.#fault ?? closed());
        return;
      }
      owner.busy++;
      this.#jobs.set(index, { owner, resolve, reject });
      owner.worker.postMessage({ slot: index } satisfies CompressRequest);
    });
    // It is waited for in its turn, which may come long after it failed.
    done.catch(() => undefined);
    return done;
  }

  /** The slot may be taken again. */
  release(slot: BlockSlot): void {
    this.#free.push(slot);
  }

  close(): void {
    this.#lose(closed());
  }

  #start(codec: BlockCodec): void {
    const owner: PoolWorker = { worker: new Worker(workerUrl("system/compress-blocks.worker.ts")), busy: 0 };
    owner.worker.onmessage = (event: MessageEvent<CompressAnswer>) => {
      const { slot, error } = event.data;
      const job = this.#jobs.get(slot);
      this.#jobs.delete(slot);
      owner.busy--;
      if (error === undefined) job?.resolve();
      else job?.reject(new AppError("INTERNAL", `compressing failed: ${error}`));
    };
    owner.worker.onerror = (event) =>
      this.#lose(new AppError("INTERNAL", `compressing failed: ${event.message}`));
    const slots = this.#slots.map((slot) => slot.memory);
    owner.worker.postMessage({ codec, slots } satisfies CompressRequest);
    this.#workers.push(owner);
  }

  #lose(fault: AppError): void {
    this.#fault ??= fault;
    for (const owner of this.#workers.splice(0)) owner.worker.terminate();
    for (const job of this.#jobs.values()) job.reject(fault);
    this.#jobs.clear();
  }
}

function closed(): AppError {
  return new AppError("INTERNAL", "the threads that compress are closed");
}
