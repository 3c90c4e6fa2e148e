import type { StoredFile } from "./stored-file.ts";

/** Files by what is in them. */
export class DuplicateIndex {
  readonly #files = new Map<string, StoredFile>();

  /** The file that has this hash and size; undefined when there is none yet. */
  find(hash: string, sizeBytes: number): StoredFile | undefined {
    const file = this.#files.get(hash);
    return file?.sizeBytes === sizeBytes ? file : undefined;
  }

  add(hash: string, file: StoredFile): void {
    this.#files.set(hash, file);
  }
}
