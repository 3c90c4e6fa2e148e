import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

/** Every text of the repository, by its path. (Bun.Glob finds nothing for braces with a folder in them.) */
export function readTexts(): ReadonlyMap<string, string> {
  const paths = ["*.md", "docs/**/*.md"]
    .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(root)])
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), "utf8")]));
}
