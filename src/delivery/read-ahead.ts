import { type AppError, type Context, toAppError } from "#core";
import type { Place, PlaceFile } from "#places";

/**
 * The place as it is now, for planning: these files are read at once (in one round trip, where the place is far away), and each is the
 * same bytes however often it is looked at. What could not be read throws when it is asked for. Nothing is written through it.
 */
export async function readAhead(context: Context, place: Place, paths: Iterable<string>): Promise<Place> {
  const known = new Map<string, { readonly file: PlaceFile | undefined } | { readonly error: AppError }>();
  await Promise.all(
    [...new Set(paths)].map(async (path) => {
      try {
        known.set(path, { file: await place.read(context, path) });
      } catch (cause) {
        known.set(path, { error: toAppError(cause) });
      }
    }),
  );
  return {
    ...place,
    async read(again, path) {
      const found = known.get(path);
      if (found === undefined) return await place.read(again, path);
      if ("error" in found) throw found.error;
      return found.file;
    },
  };
}
