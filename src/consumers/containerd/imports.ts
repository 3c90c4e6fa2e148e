import { dirname, join, normalize } from "node:path";

/**
 * Does a file import another one: `*` stands for any part of a name, and a path that is not absolute begins in the file's folder. Before
 * containerd 1.7 one with a `*` begins in the folder that the program was started in, which is `/` under systemd.
 */
export function importsFile(
  from: { readonly path: string; readonly imports: readonly string[] },
  path: string,
  line: { readonly major: number; readonly minor: number },
): boolean {
  return from.imports.some((pattern) => {
    const isOld = line.major < 2 && line.minor < 7;
    const base = isOld && pattern.includes("*") ? "/" : dirname(from.path);
    const whole = pattern.startsWith("/") ? normalize(pattern) : join(base, pattern);
    const parts = whole.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join("[^/]*")}$`).test(path);
  });
}
