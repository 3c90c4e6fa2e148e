import { dlopen } from "bun:ffi";

/** Reads extended attributes of real files, which neither Node nor Bun has a door for. Linux. */
export interface XattrReader {
  /** All of a path, a symlink's own; values as they are. Names of the kernel's making are left out. */
  read(path: Uint8Array): ReadonlyMap<string, Uint8Array>;
  close(): void;
}

export function openXattrReader(): XattrReader {
  const library = dlopen("libc.so.6", {
    llistxattr: { args: ["buffer", "buffer", "u64"], returns: "i64" },
    lgetxattr: { args: ["buffer", "buffer", "buffer", "u64"], returns: "i64" },
  });
  const { llistxattr, lgetxattr } = library.symbols;
  const room = Buffer.alloc(128 * 1024);
  return {
    read(path) {
      const cPath = Buffer.concat([path, Buffer.alloc(1)]);
      const found = new Map<string, Uint8Array>();
      const length = Number(llistxattr(cPath, room, room.length));
      const names = Buffer.from(room.subarray(0, Math.max(0, length)))
        .toString("latin1")
        .split("\0")
        .filter(Boolean);
      for (const name of names) {
        const size = Number(lgetxattr(cPath, Buffer.from(`${name}\0`, "latin1"), room, room.length));
        if (size >= 0 && name !== "security.selinux") found.set(name, new Uint8Array(room.subarray(0, size)));
      }
      return found;
    },
    close: () => {
      library.close();
    },
  };
}
