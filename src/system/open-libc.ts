import { dlopen, type FFIFunction, type Library } from "bun:ffi";

/** The C library under the name that it has on this Linux, with these of its calls; undefined where there is none (another system). */
export function openLibc<T extends Record<string, FFIFunction>>(symbols: T): Library<T> | undefined {
  if (process.platform !== "linux") return undefined;
  for (const name of ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`]) {
    try {
      return dlopen(name, symbols);
    } catch {
      // The other C library's name; with neither, the caller is told undefined.
    }
  }
  return undefined;
}
