import { createHash } from "node:crypto";
import { AppError, type Context } from "#core";
import {
  cacheForImport,
  type ImageUse,
  type ImportCaches,
  type ImportedImage,
  importImage,
  loadFormat,
  parseSource,
  platformChoice,
  releaseImports,
  type SourceSurroundings,
} from "#images";
import type { Reference } from "#oci";
import { machinePlatform } from "#system";

/** What the importer needs of whoever runs it. */
export interface PyxisParts {
  readonly caches: ImportCaches;
  /** Is an image asked for with a login. */
  readonly hasLogin: (reference: Reference) => Promise<boolean>;
  readonly surroundings: (cache: SourceSurroundings["cache"]) => Promise<SourceSurroundings>;
  /** How long another process is waited for that makes the same image. */
  readonly waitMs: number;
}

/**
 * Pyxis's `get` (its importers/README.md, since 0.21): the image as an Enroot squashfs that stays where it is until `release`. One conversion for
 * all nodes of a job, and for all who share the cache. Throws INVALID_INPUT for what is no image of a registry, and what `importImage` throws.
 */
export async function importForPyxis(
  context: Context,
  uri: string,
  use: ImageUse,
  parts: PyxisParts,
): Promise<ImportedImage> {
  const source = parseSource(uri);
  if (source.kind !== "registry")
    throw new AppError("INVALID_INPUT", `${JSON.stringify(uri.slice(0, 200))} is no image of a registry`, {
      hint: "write it as Enroot does: docker://[REGISTRY#]IMAGE[:TAG]",
    });
  const cache = await cacheForImport(parts.caches, await parts.hasLogin(source.reference));
  const request = {
    source,
    platform: platformChoice(undefined, machinePlatform()),
    format: await loadFormat("sqsh"),
    choice: {},
    waitMs: parts.waitMs,
  };
  return importImage(context, request, use, await parts.surroundings(cache));
}

/** Pyxis's `release`: called twice for most steps, and for steps that got nothing. Gives how many names were taken away. */
export async function releaseForPyxis(use: ImageUse, { openOwn, shared }: ImportCaches): Promise<number> {
  const own = await releaseImports(await openOwn(), use);
  return own + (shared === undefined ? 0 : await releaseImports(shared, use));
}

/**
 * The job step that an image is for, from Slurm's variables; without a step it is the job itself, as in a prolog. Throws USAGE where there is no
 * job, NOT_ALLOWED where the job is another user's: its logins are not ours to use, nor ours for it.
 */
export function readImageUse(
  env: Readonly<Record<string, string | undefined>>,
  facts: { readonly userId: number; readonly hostname: string; readonly nowMs: number },
): ImageUse {
  const job = env["SLURM_JOB_ID"] ?? "";
  if (!isNumber(job))
    throw new AppError("USAGE", "this is no Slurm job: SLURM_JOB_ID is not set", {
      hint: "for a file of your own use wharf pull IMAGE OUT.sqsh",
    });
  const owner = env["SLURM_JOB_UID"] ?? "";
  if (owner !== "" && owner !== String(facts.userId))
    throw new AppError(
      "PERMISSION_DENIED",
      `the job is of user ${JSON.stringify(owner.slice(0, 20))}, this process is not`,
      {
        hint: 'run it as the job\'s user: in a prolog, runuser -u "$SLURM_JOB_USER" -- …',
      },
    );
  const step = env["SLURM_STEP_ID"] ?? "";
  // Several slurmd may run on one machine, and Pyxis has a folder of its own for each.
  const node = [facts.hostname, env["SLURMD_NODENAME"] ?? "", env["PYXIS_RUNTIME_PATH"] ?? ""];
  const mark = createHash("sha256").update(JSON.stringify(node)).digest("hex").slice(0, 12);
  return { words: [job, isNumber(step) ? step : "job", mark], nowMs: facts.nowMs };
}

function isNumber(text: string): boolean {
  return /^\d{1,20}$/.test(text);
}
