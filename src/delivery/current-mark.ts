import type { MatchAnswer, Warning } from "#consumers";
import { type Context, Secret } from "#core";
import type { DeliveredRecord } from "./contract.ts";
import type { Opened } from "./planning.ts";
import { answerFrom, readPlace, type SearchPath } from "./search-path.ts";
import { createMarker, type Marker } from "./state.ts";

/** Key, in the state and in changes, of a file that is delivered whole (a CA certificate). */
export const WHOLE_FILE = "(file)";

/** What a target's program would use, were one of its files another. */
export interface ReadBack {
  /** `options`: those of the delivery, where they were others than the target's. */
  answer(
    file: string,
    bytes: Uint8Array,
    image: string,
    options: DeliveredRecord["options"],
  ): Promise<MatchAnswer>;
}

/** Reads the place when it is first asked, and once for the same options: a target may have thousands of files. */
export function createReadBack(context: Context, opened: Opened): ReadBack {
  const readings = new Map<string, Promise<SearchPath>>();
  return {
    async answer(file, bytes, image, options) {
      // As it was delivered: another `file:` or `name:` now, or none any more, would look elsewhere.
      const then = options === undefined ? opened : { ...opened, target: { ...opened.target, options } };
      const key = JSON.stringify(options ?? null);
      const reading =
        readings.get(key) ??
        (opened.consumer.abilities.readsApart
          ? Promise.resolve({ files: new Map<string, Uint8Array>(), failure: undefined })
          : readPlace(context, then));
      readings.set(key, reading);
      const search = await reading;
      const before = search.files.get(file);
      search.files.set(file, bytes);
      try {
        return answerFrom(then, search, image);
      } finally {
        if (before === undefined) search.files.delete(file);
        else search.files.set(file, before);
      }
    },
  };
}

/**
 * The mark of what lies under a record's key now, read back by the program's own rules; undefined where the program would not read
 * that key (it is gone, shadowed or broken), so that nothing can be said of it.
 */
export async function currentMark(
  readBack: ReadBack,
  record: DeliveredRecord,
  found: { readonly current: Uint8Array | undefined; readonly markKey: Secret },
): Promise<string | undefined> {
  const { current, markKey } = found;
  if (current === undefined) return undefined;
  const mark = createMarker(markKey);
  if (record.key === WHOLE_FILE) return wholeMark(mark, record, new TextDecoder().decode(current));
  // A reference to a Secret is no login.
  if (record.login === "") return undefined;
  const answer = await readBack.answer(record.file, current, `${record.images}/x`, record.options);
  if (answer.kind !== "login" || answer.match.file !== record.file || answer.match.key !== record.key)
    return undefined;
  return mark(record, answer.match);
}

/** The mark of a file that is delivered whole. */
export function wholeMark(
  mark: Marker,
  at: { readonly place: string; readonly file: string; readonly key: string },
  body: string,
): string {
  return mark(at, { username: WHOLE_FILE, secret: new Secret(body) });
}

/**
 * Of records that are to go from a file: those whose entry is still what we wrote. What somebody changed since is theirs and stays,
 * with a warning; what cannot be told counts as ours, because it lies under a key that we wrote.
 */
export async function stillOurs(
  readBack: ReadBack,
  records: readonly DeliveredRecord[],
  found: { readonly current: Uint8Array | undefined; readonly markKey: Secret | undefined },
): Promise<{ readonly keys: ReadonlySet<string>; readonly warnings: readonly Warning[] }> {
  const keys = new Set<string>();
  const warnings: Warning[] = [];
  for (const record of records) {
    const mark =
      found.markKey === undefined
        ? undefined
        : await currentMark(readBack, record, { current: found.current, markKey: found.markKey });
    if (mark === undefined || mark === record.mark) keys.add(record.key);
    else
      warnings.push({
        kind: "format",
        login: record.login,
        message: `${record.file}: ${record.key} was changed there after wharf wrote it, so it stays`,
      });
  }
  return { keys, warnings };
}
