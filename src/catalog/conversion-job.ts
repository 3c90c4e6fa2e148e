import { AppError } from "#core";
import type { ConvertedFormat } from "./content-contract.ts";
import type { NewJob } from "./job-store.ts";

/** One form of one image, to be made. */
export interface ConversionRequest {
  readonly repository: string;
  /** Digest of an image's manifest; of no index. */
  readonly source: string;
  readonly format: ConvertedFormat;
}

export const CONVERT_IMAGE = "convert-image";

/** The job that makes it. */
export function createConversionJob(request: ConversionRequest): NewJob {
  const { repository, source, format } = request;
  return {
    kind: CONVERT_IMAGE,
    key: `${repository}@${source} ${format}`,
    payload: JSON.stringify({ repository, source, format }),
    project: repository.split("/", 1)[0] ?? "",
    repository,
    manifest: source,
  };
}

/** What a job of this kind is asked for. Throws INTERNAL. */
export function parseConversionJob(payload: string): ConversionRequest {
  const { repository, source, format } = JSON.parse(payload) as Record<string, unknown>;
  if (typeof repository !== "string" || typeof source !== "string" || (format !== "sif" && format !== "sqsh"))
    throw new AppError("INTERNAL", "a job to convert an image does not say which and how");
  return { repository, source, format };
}
