import { type ConversionRequest, createConversionJob } from "#catalog";
import { toAppError } from "#core";
import type { Manifest } from "#oci";
import type { Parts } from "./exchange.ts";
import { formatsOf, isImage, linuxImages } from "./image-of-manifest.ts";

/** Platforms of one push that are converted by themselves; others on request. */
const MOST_PLATFORMS = 8;

/** Enqueues what a project wants to have made of each tagged image. The push is done: what goes wrong here is made up for by a request. */
export async function convertOnPush(
  { catalog, log, onJob }: Parts,
  repository: string,
  pushed: { readonly digest: string; readonly manifest: Manifest },
): Promise<void> {
  try {
    const project = catalog.read(() => catalog.projects.find(repository.split("/", 1)[0] ?? ""));
    if (project === undefined || project.convertOn !== "push") return;
    const images = isImage(pushed.manifest)
      ? [pushed.digest]
      : linuxImages(pushed.manifest)
          .slice(0, MOST_PLATFORMS)
          .map(({ digest }) => digest);
    const missing: ConversionRequest[] = [];
    for (const format of formatsOf(project.convert))
      for (const source of images) {
        const made = await catalog.content.findConversion(repository, source, format);
        if (made === undefined) missing.push({ repository, source, format });
      }
    if (missing.length === 0) return;
    await catalog.write([], () => {
      for (const request of missing) catalog.jobs.enqueue(createConversionJob(request));
    });
    onJob();
  } catch (cause) {
    log.warn("asking for the conversion of a pushed image failed", { repository, error: toAppError(cause) });
  }
}
