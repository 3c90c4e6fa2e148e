import type { ConsumerLogin, Refusal, Warning } from "./contract.ts";

/**
 * Is this repository one that the login is for: any of its registry without a path, else the repositories below the path
 * and the one of exactly that name; segment by segment, never by string prefix.
 */
export function isCovered(login: Pick<ConsumerLogin, "path">, repository: string): boolean {
  return login.path === undefined || repository === login.path || repository.startsWith(`${login.path}/`);
}

/** A login as people read it: its registry with its path. */
export function scopeOf(login: Pick<ConsumerLogin, "registry" | "path">): string {
  return login.path === undefined ? login.registry : `${login.registry}/${login.path}`;
}

/** What compile has sorted out so far. */
export interface Sorted {
  readonly kept: readonly ConsumerLogin[];
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly Warning[];
}

/** Rules that a consumer's writer shares with others. */
export interface FormRules {
  /** As in a message: "docker". */
  readonly consumer: string;
  readonly identityTokens: boolean;
}

/**
 * Drops, with a reason, the logins that no file of `user:password` form can express: an empty username or secret, a colon in the
 * username (the pair is split at the first one), characters that the programs cut off, identity tokens where they are not read.
 */
export function refuseForm(logins: readonly ConsumerLogin[], rules: FormRules): Sorted {
  const kept: ConsumerLogin[] = [];
  const refusals: Refusal[] = [];
  for (const login of logins) {
    const refusal = formRefusal(login, rules);
    if (refusal === undefined) kept.push(login);
    else refusals.push({ login: login.name, ...refusal });
  }
  return { kept, refusals, warnings: [] };
}

function formRefusal(login: ConsumerLogin, rules: FormRules): Omit<Refusal, "login"> | undefined {
  if (login.username === "") {
    return {
      reason:
        "it has no username, and one entry without a username makes docker drop other logins of the file",
      hint: "give it a username; Azure takes 00000000-0000-0000-0000-000000000000 with a token",
    };
  }
  if (login.username.includes(":")) {
    return {
      reason: 'its username has a ":" in it, where every program splits username from password',
      hint: 'make a robot or token at the registry whose username has no ":"',
    };
  }
  if (/\p{Cc}/u.test(login.username) || !login.username.isWellFormed()) {
    return { reason: "its username has a control character in it", hint: "mend the username in wharf.yaml" };
  }
  const secret = login.secret.reveal();
  if (secret === "") return { reason: "its secret is empty", hint: "give the login its secret again" };
  if (secret.includes("\0") || !secret.isWellFormed()) {
    return {
      reason: "its secret has a character in it that programs cut off",
      hint: "give the login its secret again",
    };
  }
  if (login.identityToken === true && !rules.identityTokens) {
    return {
      reason: `${rules.consumer} does not read identity tokens`,
      hint: "use a password or access token; Azure's refresh token works as the password of user 00000000-0000-0000-0000-000000000000",
    };
  }
  return undefined;
}

/**
 * For programs that know one login for each host: two logins on one host are refused both, since whichever were written would be
 * sent for images of the other; a path alone on its host is written for the whole host, and listed as `wider`.
 */
export function onePerHost(logins: readonly ConsumerLogin[], consumer: string, other: string): Sorted {
  const kept: ConsumerLogin[] = [];
  const refusals: Refusal[] = [];
  const warnings: Warning[] = [];
  for (const [registry, group] of Map.groupBy(logins, (login) => login.registry)) {
    const [only] = group;
    if (group.length > 1) {
      for (const login of group) {
        const rivals = group.filter((rival) => rival !== login).map((rival) => rival.name);
        refusals.push({
          login: login.name,
          reason: `${consumer} knows one login for all of ${registry}, and ${rivals.join(", ")} is for it too`,
          hint: `deliver one of them to ${consumer}, ${other}`,
        });
      }
    } else if (only !== undefined) {
      kept.push(only);
      if (only.path !== undefined) warnings.push(widerThanPath(only, consumer, other));
    }
  }
  return { kept, refusals, warnings };
}

/** Logins for the very same images: refused both, whichever program. */
export function refuseTwins(logins: readonly ConsumerLogin[]): Sorted {
  const kept: ConsumerLogin[] = [];
  const refusals: Refusal[] = [];
  for (const [scope, group] of Map.groupBy(logins, scopeOf)) {
    const [only] = group;
    if (group.length === 1 && only !== undefined) kept.push(only);
    else {
      const names = group.map((login) => login.name).join(", ");
      for (const login of group)
        refusals.push({
          login: login.name,
          reason: `${names} are all for ${scope}`,
          hint: "deliver one of them here",
        });
    }
  }
  return { kept, refusals, warnings: [] };
}

function widerThanPath(login: ConsumerLogin, consumer: string, other: string): Warning {
  return {
    kind: "wider",
    login: login.name,
    message: `${consumer} knows no paths: it sends this login for every image of ${login.registry}, not only ${scopeOf(login)}`,
    hint: other,
  };
}
