import { AppError } from "./app-error.ts";

/** What is being named; decides the rule and the words of the error. */
export type NameKind = "project" | "user" | "robot" | "token" | "login";

// A project is the first component of a repository's name: distribution-spec's path-component.
const PROJECT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
// Shell-safe, YAML-safe, netrc-safe; never `$`, `+`, `:` or `/` (harbor issue 9553 and its kin).
const ACCOUNT = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9._ -]*[A-Za-z0-9])?$/;

const RULES: Record<NameKind, { pattern: RegExp; max: number; words: string }> = {
  project: {
    pattern: PROJECT,
    max: 63,
    words: "lower-case letters and digits, with single '.', '_' or '-' between them",
  },
  user: {
    pattern: ACCOUNT,
    max: 63,
    words: "lower-case letters, digits, '.', '_' and '-', beginning and ending with a letter or digit",
  },
  robot: {
    pattern: ACCOUNT,
    max: 63,
    words: "lower-case letters, digits, '.', '_' and '-', beginning and ending with a letter or digit",
  },
  token: {
    pattern: LABEL,
    max: 100,
    words: "letters, digits, spaces, '.', '_' and '-', beginning and ending with a letter or digit",
  },
  login: {
    pattern: /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
    max: 100,
    words: "letters, digits, '.', '_' and '-', beginning and ending with a letter or digit",
  },
};

/** Gives the name back if it follows the rule of its kind; throws NAME_INVALID, saying the rule. */
export function parseName(kind: NameKind, text: string): string {
  const rule = RULES[kind];
  if (text.length <= rule.max && rule.pattern.test(text)) return text;
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  throw new AppError("NAME_INVALID", `${JSON.stringify(shown)} is not a ${kind} name`, {
    hint: `use ${rule.words}; at most ${rule.max} characters`,
  });
}

/** Nearest of the candidates to what was typed, within two edits; undefined where none is near. */
export function nearestName(typed: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of candidates) {
    const distance = editDistance(typed, candidate, bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? limit;
}
