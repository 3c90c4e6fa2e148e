import { type Pointer, read } from "bun:ffi";
import { openLibc } from "./open-libc.ts";

/** What files can have and be beyond what Bun has doors for. Paths are bytes; each call gives 0, or the number of its error. */
export interface NodeCalls {
  /** Sets an extended attribute of an open file or folder. `name` is latin1. */
  setXattr(fd: number, name: string, value: Uint8Array): number;
  /** The same of what has that path, a symlink itself included. */
  setXattrAt(path: Uint8Array, name: string, value: Uint8Array): number;
  /** Makes a pipe or a device node; fails where something has that name. */
  makeNode(path: Uint8Array, kind: "fifo" | "character" | "block", device: NodeDevice): number;
}

export interface NodeDevice {
  readonly major: number;
  readonly minor: number;
}

const KIND_BITS = { fifo: 0o010000, character: 0o020000, block: 0o060000 } as const;

/** undefined where this cannot be had: not Linux, or no C library of a known name. */
export function createNodeCalls(): NodeCalls | undefined {
  const library = openLibc({
    fsetxattr: { args: ["i32", "ptr", "ptr", "u64", "i32"], returns: "i32" },
    lsetxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
    mknod: { args: ["ptr", "u32", "u64"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  });
  if (library === undefined) return undefined;
  const { fsetxattr, lsetxattr, mknod, __errno_location } = library.symbols;
  const result = (returned: number): number =>
    returned === 0 ? 0 : read.i32(__errno_location() as Pointer, 0);
  return {
    setXattr: (fd, name, value) =>
      result(fsetxattr(fd, terminated(Buffer.from(name, "latin1")), held(value), value.length, 0)),
    setXattrAt: (path, name, value) =>
      result(
        lsetxattr(terminated(path), terminated(Buffer.from(name, "latin1")), held(value), value.length, 0),
      ),
    makeNode: (path, kind, device) =>
      result(mknod(terminated(path), KIND_BITS[kind] | 0o600, deviceNumber(device))),
  };
}

function terminated(bytes: Uint8Array): Uint8Array {
  const text = new Uint8Array(bytes.length + 1);
  text.set(bytes);
  return text;
}

/** No pointer can be taken to nothing. */
function held(value: Uint8Array): Uint8Array {
  return value.length === 0 ? new Uint8Array(1) : value;
}

/** As Linux's C libraries put a device's two numbers into one of 64 bits. */
function deviceNumber({ major, minor }: NodeDevice): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  );
}
