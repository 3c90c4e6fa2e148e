import { AppError, type Context, forEachAtOnce, toAppError } from "#core";
import type { FilePlan } from "./contract.ts";

/** What became of a place's files where each stands for itself. */
export interface AppliedObjects {
  readonly done: readonly { readonly file: FilePlan; readonly action: FilePlan["action"] }[];
  /** One failure as it is, several as one that names them; undefined where all went well. */
  readonly error: AppError | undefined;
}

/** With these nothing else would go better at this place. */
const FOR_ALL: ReadonlySet<string> = new Set(["UNREACHABLE", "TLS_FAILED", "UNAUTHORIZED", "CONFIG_INVALID"]);
/** So many failures are named in an error's details. */
const NAMED = 100;

/**
 * Files of a place that takes many at once (objects of a cluster): what one of them fails by stops none of the others, but for a place that
 * cannot be reached at all. Nothing is thrown, so that what was done is recorded.
 */
export async function applyObjects(
  context: Context,
  step: { readonly files: readonly FilePlan[]; readonly atOnce: number },
  apply: (file: FilePlan) => Promise<FilePlan["action"]>,
): Promise<AppliedObjects> {
  const done: { file: FilePlan; action: FilePlan["action"] }[] = [];
  const failed: { path: string; error: AppError }[] = [];
  let broken: AppError | undefined;
  await forEachAtOnce(
    step.files,
    async (file) => {
      if (broken !== undefined || context.signal.aborted) return;
      try {
        done.push({ file, action: await apply(file) });
      } catch (cause) {
        const error = toAppError(cause);
        if (error.code === "INTERRUPTED") return;
        if (FOR_ALL.has(error.code)) broken ??= error;
        failed.push({ path: file.path, error });
      }
    },
    step.atOnce,
  );
  if (context.signal.aborted)
    return { done, error: new AppError("INTERRUPTED", "stopped between two objects") };
  return { done, error: broken ?? combined(failed, step.files.length) };
}

function combined(
  failed: readonly { readonly path: string; readonly error: AppError }[],
  all: number,
): AppError | undefined {
  const [first, ...others] = failed;
  if (first === undefined) return undefined;
  if (others.length === 0) return first.error;
  const { error } = first;
  return new AppError(
    "PARTLY_FAILED",
    `${failed.length} of ${all} objects failed; the first: ${error.message}`,
    {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      details: {
        failed: failed.slice(0, NAMED).map(({ path, error: { code, message } }) => ({ path, code, message })),
      },
      cause: error,
    },
  );
}
