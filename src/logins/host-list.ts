import { AppError } from "#core";

/** Hosts that one list may name. The largest clusters have some ten thousand nodes. */
export const MAX_HOSTS = 16_384;
const MAX_TEXT = 4096;

/**
 * Host names of a Slurm host list (`gpu[01-64,70]`, `r[1-2]n[1-4]`, `a,b[1-3]`), in its order, each once. Zeros in front are kept, as
 * Slurm keeps them: `[08-11]` is 08 09 10 11. Throws INVALID_INPUT for what is no list, or for more than MAX_HOSTS names.
 */
export function parseHostList(text: string): readonly string[] {
  if (text.length > MAX_TEXT) throw invalid(text, `it is longer than ${MAX_TEXT} characters`);
  const names = new Set<string>();
  for (const part of splitOutside(text)) {
    for (const name of expandPart(text, part)) {
      if (!/^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/.test(name) || name.length > 253)
        throw invalid(text, `${JSON.stringify(name.slice(0, 60))} is not a host name`);
      names.add(name);
      if (names.size > MAX_HOSTS) throw invalid(text, `it names more than ${MAX_HOSTS} hosts`);
    }
  }
  return [...names];
}

/** At the commas that are not in brackets. */
function splitOutside(text: string): readonly string[] {
  const parts: string[] = [];
  let isInside = false;
  let from = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === "[" || character === "]") {
      if (isInside === (character === "[")) throw invalid(text, "its brackets do not match");
      isInside = character === "[";
    } else if (character === "," && !isInside) {
      parts.push(text.slice(from, index));
      from = index + 1;
    }
  }
  if (isInside) throw invalid(text, "its brackets do not match");
  return [...parts, text.slice(from)];
}

/** `r[1-2]n[1-4]`: every first with every second. */
function expandPart(text: string, part: string): readonly string[] {
  let names = [""];
  for (const piece of part.split(/(\[[^[\]]*\])/)) {
    if (piece === "") continue;
    const ends = piece.startsWith("[")
      ? piece
          .slice(1, -1)
          .split(",")
          .flatMap((range) => expandRange(text, range))
      : [piece];
    if (names.length * ends.length > MAX_HOSTS) throw invalid(text, `it names more than ${MAX_HOSTS} hosts`);
    names = names.flatMap((name) => ends.map((end) => name + end));
  }
  return names;
}

function expandRange(text: string, range: string): readonly string[] {
  const [, first, last] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(range) ?? [];
  if (first === undefined)
    throw invalid(text, `[${range.slice(0, 40)}] is not a number or a range of numbers`);
  if (last === undefined) return [first];
  const [low, high] = [Number(first), Number(last)];
  if (high < low) throw invalid(text, `the range ${range} ends before it begins`);
  if (high - low >= MAX_HOSTS) throw invalid(text, `it names more than ${MAX_HOSTS} hosts`);
  return Array.from({ length: high - low + 1 }, (_, index) =>
    String(low + index).padStart(first.length, "0"),
  );
}

function invalid(text: string, why: string): AppError {
  return new AppError(
    "INVALID_INPUT",
    `${JSON.stringify(text.slice(0, 60))} is not a list of hosts: ${why}`,
    {
      hint: "write it as Slurm does: gpu[01-64,70]",
    },
  );
}
