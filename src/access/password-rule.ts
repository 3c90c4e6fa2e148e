import { AppError, Secret } from "#core";
import { hashPassword } from "#system";
import { MAX_PASSWORD_CHARS } from "./password-checker.ts";
import { isTokenSecret } from "./token-secret.ts";

const MIN_PASSWORD_CHARS = 8;

/**
 * A password that a person chose. Throws INVALID_INPUT: too short, too long, with control characters (they break the files
 * of the programs that send it), or of the form of a token's secret (it would be looked up as one).
 */
export function parsePassword(text: string): Secret {
  const length = text.length;
  if (length < MIN_PASSWORD_CHARS || length > MAX_PASSWORD_CHARS)
    throw new AppError(
      "INVALID_INPUT",
      `a password has ${MIN_PASSWORD_CHARS} to ${MAX_PASSWORD_CHARS} characters, this one has ${length}`,
    );
  if (/\p{Cc}/u.test(text))
    throw new AppError("INVALID_INPUT", "a password has no control characters or line breaks in it");
  if (isTokenSecret(text)) throw new AppError("INVALID_INPUT", "a password may not look like a token");
  return new Secret(text);
}

/** Checks a new password (see `parsePassword`) and gives its slow hash, to be stored. */
export async function hashNewPassword(text: string): Promise<string> {
  return hashPassword(parsePassword(text));
}
