import { AppError } from "#core";

/** distribution-spec: host and name together should stay within 255, so a name alone never needs more. */
export const MAX_REPOSITORY_LENGTH = 255;
export const MAX_TAG_LENGTH = 128;

// distribution-spec, "Pulling manifests". Each alternative begins with another character, so matching never backtracks far.
const NAME = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** True for a repository's name by the distribution specification: `project/path`, lower case. Used on every request. */
export function isRepositoryName(text: string): boolean {
  return text.length <= MAX_REPOSITORY_LENGTH && NAME.test(text);
}

/** Gives the name back; throws NAME_INVALID, saying the rule. */
export function parseRepositoryName(text: string): string {
  if (isRepositoryName(text)) return text;
  const hint =
    text.length > MAX_REPOSITORY_LENGTH
      ? `use ${MAX_REPOSITORY_LENGTH} characters at most`
      : /[A-Z]/.test(text)
        ? `use lower case: ${shown(text.toLowerCase())}`
        : "use lower-case letters and digits, with '.', '_', '__' or '-' between them and '/' between components";
  throw new AppError("NAME_INVALID", `${shown(text)} is not a repository name`, { hint });
}

/** True for a tag: 1 to 128 letters, digits, '_', '.', '-', not beginning with '.' or '-'. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Gives the tag back; throws NAME_INVALID. */
export function parseTag(text: string): string {
  if (isTag(text)) return text;
  throw new AppError("NAME_INVALID", `${shown(text)} is not a tag`, {
    hint: `use letters, digits, '_', '.' and '-', beginning with a letter, digit or '_'; at most ${MAX_TAG_LENGTH} characters`,
  });
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
