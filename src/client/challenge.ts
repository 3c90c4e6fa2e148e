import { AppError } from "#core";

/** One challenge of a WWW-Authenticate header. Names of parameters are lower case. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`, … */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_LENGTH = 16_384;
const TOKEN = /[A-Za-z0-9!#$%&'*+.^_`|~-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy;
// Some registries send URLs without quotes, so a bare value ends only at a comma or space.
const BARE = /[^\s,"]*/y;

/**
 * Parses WWW-Authenticate (RFC 9110 §11.6.1): several challenges in one value or several joined by ", ", commas inside quotes,
 * any case, spaces round "=". What is not of that form is stepped over. Throws REGISTRY_FAILED past 16 KiB.
 */
export function parseChallenges(header: string): Challenge[] {
  if (header.length > MAX_LENGTH) {
    throw new AppError("REGISTRY_FAILED", "the registry's WWW-Authenticate header is too long");
  }
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    return match[1] ?? match[0];
  };
  const skip = (characters: string): void => {
    while (at < header.length && characters.includes(header.charAt(at))) at++;
  };
  while (at < header.length) {
    skip(" \t,");
    const word = take(TOKEN);
    if (word === undefined) {
      at++;
      continue;
    }
    const afterWord = at;
    skip(" \t");
    const current = challenges.at(-1);
    if (header.charAt(at) !== "=" || current === undefined) {
      at = afterWord;
      challenges.push({ scheme: word.toLowerCase(), parameters: new Map() });
      continue;
    }
    at++;
    skip(" \t");
    const value = header.charAt(at) === '"' ? take(QUOTED)?.replace(/\\(.)/gs, "$1") : take(BARE);
    const name = word.toLowerCase();
    // The first wins, as in docker: a second realm must not replace the one that was looked at.
    if (value !== undefined && !current.parameters.has(name)) current.parameters.set(name, value);
  }
  return challenges;
}
