/** A child of the places' tests: replaces FOLDER/f over and over until it is killed. A byte on standard output before each write. */
import { writeSync } from "node:fs";
import { silentLogger } from "#core";
import { createFolderPlace } from "#places";

/** What the n-th write leaves; long enough to be written in several pieces. */
export function contentOf(index: number): string {
  return `${index} `.repeat(100_000);
}

if (import.meta.main) {
  const place = createFolderPlace(process.argv[2] ?? "");
  const context = { signal: new AbortController().signal, log: silentLogger };
  for (let index = 0; ; index++) {
    writeSync(1, ".");
    const bytes = new TextEncoder().encode(contentOf(index));
    await place.write(context, "/f", bytes, { mode: 0o600, folderMode: 0o700 });
  }
}
