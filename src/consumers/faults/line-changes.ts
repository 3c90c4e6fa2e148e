import { hideSecrets } from "./hide-secrets.ts";

/** A line that goes or comes, secrets hidden. */
export interface LineChange {
  readonly sign: "-" | "+";
  /** From 1: in the old text for `-`, in the new one for `+`. */
  readonly line: number;
  readonly text: string;
}

/** Above this many lines between the first and the last change they are all shown as changed. */
const MAX_COMPARED = 2_000;

/** What differs between two texts, line by line, in order; secrets are hidden, so a line may look the same and differ in its secret. */
export function lineChanges(before: string, after: string): readonly LineChange[] {
  const old = before.split("\n");
  const now = after.split("\n");
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let oldEnd = old.length;
  let nowEnd = now.length;
  while (oldEnd > start && nowEnd > start && old[oldEnd - 1] === now[nowEnd - 1]) {
    oldEnd--;
    nowEnd--;
  }
  const kept = commonLines(old.slice(start, oldEnd), now.slice(start, nowEnd));
  const changes: LineChange[] = [];
  let [a, b] = [start, start];
  for (const [keptOld, keptNow] of [...kept, [oldEnd - start, nowEnd - start] as const]) {
    for (; a < start + keptOld; a++)
      changes.push({ sign: "-", line: a + 1, text: hideSecrets(old[a] ?? "") });
    for (; b < start + keptNow; b++)
      changes.push({ sign: "+", line: b + 1, text: hideSecrets(now[b] ?? "") });
    a++;
    b++;
  }
  return changes;
}

/** Places of the longest common run of lines, as pairs of indexes. */
function commonLines(old: readonly string[], now: readonly string[]): readonly (readonly [number, number])[] {
  if (old.length * now.length > MAX_COMPARED * MAX_COMPARED) return [];
  const width = now.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  for (let a = old.length - 1; a >= 0; a--)
    for (let b = now.length - 1; b >= 0; b--)
      lengths[a * width + b] =
        old[a] === now[b]
          ? 1 + (lengths[(a + 1) * width + b + 1] ?? 0)
          : Math.max(lengths[(a + 1) * width + b] ?? 0, lengths[a * width + b + 1] ?? 0);
  const pairs: (readonly [number, number])[] = [];
  for (let a = 0, b = 0; a < old.length && b < now.length; ) {
    if (old[a] === now[b]) pairs.push([a++, b++]);
    else if ((lengths[(a + 1) * width + b] ?? 0) >= (lengths[a * width + b + 1] ?? 0)) a++;
    else b++;
  }
  return pairs;
}
