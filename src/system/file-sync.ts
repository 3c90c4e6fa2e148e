import { close, fdatasync, fdatasyncSync, openSync } from "node:fs";
import { promisify } from "node:util";
import { toStorageError } from "./storage-error.ts";

const syncData = promisify(fdatasync);

/**
 * Up to here a disk is waited for in place: handing the wait to another thread and back costs a tenth of a millisecond and a switch
 * between cores, a third of small pushes' speed on a disk that syncs in half a millisecond. A slower one must not hold up who only reads.
 */
const QUICK_MS = 1;
/** Weight of the newest wait in the running mean. */
const NEWEST = 0.2;

/** Puts what others write into a file on the disk. */
export interface FileSync {
  /** Returns, or resolves, when all that was written to the file before the call is on the disk. STORAGE_FULL, STORAGE_FAILED. */
  sync(): void | Promise<void>;
  close(): void;
}

/** Opens `path` at the first sync, through a descriptor of its own. The file must stay the same one. */
export function createFileSync(path: string, now: () => number = () => performance.now()): FileSync {
  let fd: number | undefined;
  let meanMs = 0;
  const note = (began: number): void => {
    meanMs += (now() - began - meanMs) * NEWEST;
  };
  const failed = (cause: unknown) => toStorageError(cause, "writing the database to the disk");

  return {
    sync() {
      const began = now();
      try {
        fd ??= openSync(path, "r");
        if (meanMs > QUICK_MS)
          return syncData(fd).then(
            () => note(began),
            (cause: unknown) => {
              throw failed(cause);
            },
          );
        fdatasyncSync(fd);
        note(began);
      } catch (cause) {
        throw failed(cause);
      }
    },
    close() {
      if (fd !== undefined) close(fd);
      fd = undefined;
    },
  };
}
