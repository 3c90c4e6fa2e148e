import type { MatchAnswer } from "#consumers";
import { type AppError, type Context, isAppError } from "#core";
import type { Opened } from "./planning.ts";

/** The files that a program looks at, as far as they are there, and the first that may not be read. */
export interface SearchPath {
  readonly files: Map<string, Uint8Array>;
  readonly failure: { readonly path: string; readonly error: AppError } | undefined;
}

/**
 * Reads what the program would, up to the first file that may not be read (a link out of the home): what lies behind that is not known.
 * `read` gives a file's bytes, undefined where it is not there. Throws INTERRUPTED, and what is a fault of wharf.
 */
export async function readSearchPath(
  opened: Opened,
  read: (path: string) => Promise<Uint8Array | undefined>,
): Promise<SearchPath> {
  const files = new Map<string, Uint8Array>();
  for (const path of opened.consumer.files(opened.target)) {
    try {
      const bytes = await read(path);
      if (bytes !== undefined) files.set(path, bytes);
    } catch (cause) {
      if (!isAppError(cause) || cause.code === "INTERRUPTED") throw cause;
      return { files, failure: { path, error: cause } };
    }
  }
  return { files, failure: undefined };
}

/** As `readSearchPath`, what lies at the place now. */
export async function readPlace(context: Context, opened: Opened): Promise<SearchPath> {
  return await readSearchPath(opened, async (path) => (await opened.place.read(context, path))?.bytes);
}

/** What the program would use for an image: `broken` where nothing answers before the file that may not be read. */
export function answerFrom(opened: Opened, search: SearchPath, image: string): MatchAnswer {
  const answer = opened.consumer.match(search.files, image, opened.target);
  const { failure } = search;
  if (failure === undefined || answer.kind !== "anonymous" || !answer.searched.includes(failure.path))
    return answer;
  return { kind: "broken", file: failure.path, why: failure.error.message };
}
