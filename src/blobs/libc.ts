import { dlopen } from "bun:ffi";

const SEEK_END = 2;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const SYNC_FILE_RANGE_WRITE = 2;

/** The calls of the C library that Bun has no door for. */
export interface Libc {
  /** Takes the exclusive lock of an open file without waiting; false when another process (or descriptor) has it. */
  tryLock(fd: number): boolean;
  unlock(fd: number): void;
  /** Moves where an open file is written next to its end. */
  seekEnd(fd: number): void;
  /** Asks the kernel to begin writing a range back to disk; a hint, with no promise. */
  startWriteback(fd: number, offset: number, length: number): void;
}

const posix = {
  flock: { args: ["i32", "i32"], returns: "i32" },
  lseek: { args: ["i32", "i64", "i32"], returns: "i64" },
} as const;
const linux = {
  ...posix,
  sync_file_range: { args: ["i32", "i64", "i64", "u32"], returns: "i32" },
} as const;

/** Opens the C library under the names that it has here and there. Throws where none of them loads. */
export function openLibc(): Libc {
  if (process.platform === "darwin") {
    const { symbols } = dlopen("libSystem.B.dylib", posix);
    return {
      tryLock: (fd) => symbols.flock(fd, LOCK_EX | LOCK_NB) === 0,
      unlock: (fd) => void symbols.flock(fd, LOCK_UN),
      seekEnd: (fd) => void symbols.lseek(fd, 0, SEEK_END),
      startWriteback: () => {},
    };
  }
  const { symbols } = openFirst(["libc.so.6", "libc.so", `libc.musl-${muslArch()}.so.1`]);
  return {
    tryLock: (fd) => symbols.flock(fd, LOCK_EX | LOCK_NB) === 0,
    unlock: (fd) => void symbols.flock(fd, LOCK_UN),
    seekEnd: (fd) => void symbols.lseek(fd, 0, SEEK_END),
    startWriteback: (fd, offset, length) => {
      symbols.sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE);
    },
  };
}

function openFirst(names: readonly string[]): ReturnType<typeof dlopen<typeof linux>> {
  let failure: unknown;
  for (const name of names) {
    try {
      return dlopen(name, linux);
    } catch (cause) {
      failure = cause;
    }
  }
  throw failure;
}

function muslArch(): string {
  return process.arch === "arm64" ? "aarch64" : "x86_64";
}
