/**
 * Where a worker's file is, from source and inside the single executable alike: `new Worker(workerUrl("blobs/hash.worker.ts"))`.
 * The path is the one under `src/`. `scripts/build.ts` makes every `src/**\/*.worker.ts` an entry of the executable, which keeps
 * them under its root by the same path; the folder of the calling module is lost there, so a relative URL would not do.
 */
export function workerUrl(path: `${string}.worker.ts`): URL {
  if (import.meta.url.includes("/$bunfs/"))
    return new URL(path.replace(/\.ts$/, ".js"), "file:///$bunfs/root/");
  return new URL(`../${path}`, import.meta.url);
}
