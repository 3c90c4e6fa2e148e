/** Path of the single executable that this process runs; undefined from source, where the process is Bun. */
export function runningExecutable(): string | undefined {
  return import.meta.url.includes("/$bunfs/") ? process.execPath : undefined;
}
