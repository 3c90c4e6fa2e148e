import { dirname, join, normalize } from "node:path";

/** Does a file import another one: `*` stands for any part of a name, and a path that is not absolute begins in the file's folder. */
export function importsFile(from: string, imports: readonly string[], path: string): boolean {
  return imports.some((pattern) => {
    const whole = pattern.startsWith("/") ? normalize(pattern) : join(dirname(from), pattern);
    const parts = whole.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join("[^/]*")}$`).test(path);
  });
}
