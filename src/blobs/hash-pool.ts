import { AppError } from "#core";
import { workerUrl } from "#system";
import type { DigestAlgorithm } from "./contract.ts";
import type { HashAnswer, HashRequest } from "./hash-messages.ts";

/** A file to hash: the upload's id, where it lies, and by which algorithm. */
export interface HashedFile {
  readonly id: string;
  readonly path: string;
  readonly algorithm: DigestAlgorithm;
}

/** Uploads left alone by their clients are forgotten first; one that comes back is hashed again from its start. */
const MAX_REMEMBERED = 512;

interface Job {
  readonly resolve: (hex: string) => void;
  readonly reject: (error: AppError) => void;
}

interface PoolWorker {
  readonly worker: Worker;
  readonly jobs: Map<number, Job>;
  /** Uploads that it follows. */
  readonly ids: Set<string>;
}

/** The threads that hash uploads. They start with the first upload that needs one, and do not keep the process alive. */
export class HashPool {
  readonly #most: number;
  readonly #workers: PoolWorker[] = [];
  readonly #byId = new Map<string, PoolWorker>();
  #nextJob = 1;

  constructor(most: number) {
    this.#most = most;
  }

  /** Begins to hash a file that grows. */
  follow(file: HashedFile): void {
    const oldest = this.#byId.size >= MAX_REMEMBERED ? this.#byId.keys().next().value : undefined;
    if (oldest !== undefined) this.drop(oldest);
    this.#send(this.#workerOf(file.id), { kind: "follow", ...file });
  }

  /** The file holds `sizeBytes`, and will not grow for now. */
  pause(id: string, sizeBytes: number): void {
    const owner = this.#byId.get(id);
    if (owner !== undefined) this.#send(owner, { kind: "pause", id, sizeBytes });
  }

  /** The digest in hex of the file's first `sizeBytes`; STORAGE_FAILED when they cannot be read. */
  digest(file: HashedFile, sizeBytes: number): Promise<string> {
    const owner = this.#workerOf(file.id);
    const job = this.#nextJob++;
    return new Promise((resolve, reject) => {
      owner.jobs.set(job, { resolve, reject });
      this.#send(owner, { kind: "digest", ...file, job, sizeBytes });
    });
  }

  /** Forgets an upload. */
  drop(id: string): void {
    const owner = this.#byId.get(id);
    if (owner === undefined) return;
    this.#byId.delete(id);
    owner.ids.delete(id);
    this.#send(owner, { kind: "drop", id });
  }

  close(): void {
    for (const owner of this.#workers.slice()) this.#lose(owner, "the blob store is closed");
  }

  #workerOf(id: string): PoolWorker {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    let owner = this.#workers.reduce<PoolWorker | undefined>(
      (best, next) => (best === undefined || next.ids.size < best.ids.size ? next : best),
      undefined,
    );
    if (owner === undefined || (owner.ids.size > 0 && this.#workers.length < this.#most))
      owner = this.#start();
    owner.ids.add(id);
    this.#byId.set(id, owner);
    return owner;
  }

  #start(): PoolWorker {
    const owner: PoolWorker = {
      worker: new Worker(workerUrl("blobs/hash.worker.ts")),
      jobs: new Map(),
      ids: new Set(),
    };
    owner.worker.onmessage = (event: MessageEvent<HashAnswer>) => {
      const job = owner.jobs.get(event.data.job);
      owner.jobs.delete(event.data.job);
      if (owner.jobs.size === 0) owner.worker.unref();
      if ("hex" in event.data) job?.resolve(event.data.hex);
      else job?.reject(new AppError("STORAGE_FAILED", `hashing an upload failed: ${event.data.error}`));
    };
    owner.worker.onerror = (event) => this.#lose(owner, event.message);
    owner.worker.unref();
    this.#workers.push(owner);
    return owner;
  }

  #send(owner: PoolWorker, request: HashRequest): void {
    if (request.kind === "digest") owner.worker.ref();
    owner.worker.postMessage(request);
  }

  /** A thread that died takes nothing with it: its files are hashed again, from their start, by another. */
  #lose(owner: PoolWorker, why: string): void {
    const index = this.#workers.indexOf(owner);
    if (index !== -1) this.#workers.splice(index, 1);
    for (const id of owner.ids) this.#byId.delete(id);
    owner.worker.terminate();
    for (const job of owner.jobs.values())
      job.reject(new AppError("STORAGE_FAILED", `hashing an upload failed: ${why}`));
    owner.jobs.clear();
  }
}
