import type { PositionalUpload } from "#blobs";
import { type ConvertedFormat, type Job, parseConversionJob } from "#catalog";
import type { Context } from "#core";
import { type ImageView, openView, type Sink, writeSif, writeSqsh } from "#images";
import { digestOf } from "#oci";
import type { JobKind, JobParts } from "../contract.ts";
import { renderResult, resultConfig } from "./render-result.ts";
import { createStoredContent } from "./stored-content.ts";

type Write = (
  view: ImageView,
  sink: Sink,
  options: object,
  context: Context,
) => Promise<{ readonly sizeBytes: number }>;

const writers: Readonly<Record<ConvertedFormat, Write>> = { sif: writeSif, sqsh: writeSqsh };

/** Makes the SIF or squashfs of an image that this registry holds, straight into the blob store, and keeps it as the image's referrer. */
export const convertImage: JobKind = { kind: "convert-image", run: convert };

async function convert(job: Job, { catalog, blobs }: JobParts, context: Context): Promise<void> {
  const { content } = catalog;
  const { repository, source, format } = parseConversionJob(job.payload);
  const began = performance.now();
  const manifest = await content.findManifest(repository, source);
  // The job goes with its image: nobody waits for it.
  if (manifest === undefined) return;
  // Whoever looked just before it was kept has asked for it again.
  if ((await content.findConversion(repository, source, format)) !== undefined) return;
  const stored = createStoredContent({ content, blobs }, repository, manifest);
  const platform = { os: "linux", architecture: "amd64" };
  const view = await openView(context, stored, { platform, isAsked: false });
  // The same name in every attempt: what a killed one left is written over, and not left for the next day.
  const upload = await blobs.create(`job-${job.id}`);
  try {
    const { sizeBytes } = await writers[format](view, toSink(upload), {}, context);
    context.signal.throwIfAborted();
    const { digest, object } = await upload.finish(sizeBytes);
    const result = renderResult({
      repository,
      format,
      subject: { mediaType: manifest.mediaType, digest: source, sizeBytes: manifest.body.length },
      layer: { digest, sizeBytes },
    });
    const config = digestOf(resultConfig);
    const { kept, surplus } = await content.keepConversion(
      repository,
      {
        manifest: result,
        blobs: [
          { digest, place: object },
          { digest: config, place: { kind: "inline", bytes: resultConfig } },
        ],
      },
      { source, format, sizeBytes },
    );
    for (const name of surplus) await blobs.remove(name);
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    context.log.info(kept ? "converted an image" : "dropped a conversion: its image is gone", {
      repository,
      source,
      format,
      sizeBytes,
      seconds,
    });
  } finally {
    await upload.abort();
  }
}

/** Whoever writes an image leaves the finishing to its caller. */
function toSink(upload: PositionalUpload): Sink {
  return {
    write: (offset, bytes) => upload.write(offset, bytes),
    finish: async (sizeBytes) => void (await upload.finish(sizeBytes)),
    abort: () => upload.abort(),
  };
}
