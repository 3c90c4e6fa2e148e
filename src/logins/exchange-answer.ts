import { AppError, Secret } from "#core";
import type { Login, SecretSource } from "./contract.ts";

/** A token, and when it ends where that is known. */
export interface ExchangedSecret {
  readonly secret: Secret;
  readonly expires: Date | undefined;
}

/**
 * The token in what a provider's program printed. Throws SECRET_UNAVAILABLE; no message repeats any of it. `helper`: the answer of
 * Docker's credential helper protocol, whose username must be the login's.
 */
export function parseExchangeAnswer(
  login: Pick<Login, "name" | "username" | "identityToken">,
  source: Pick<Extract<SecretSource, { kind: "exchange" }>, "answer" | "argv" | "livesSeconds">,
  text: string,
  now: number,
): ExchangedSecret {
  const program = source.argv[0] ?? "";
  const fault = (why: string, hint?: string): AppError =>
    new AppError("SECRET_UNAVAILABLE", `login ${login.name}: ${program} ${why}`, {
      hint: hint ?? "run it by hand and see",
    });
  const byLife = source.livesSeconds === undefined ? undefined : new Date(now + source.livesSeconds * 1000);
  const done = (value: unknown, expires: Date | undefined): ExchangedSecret => {
    if (typeof value !== "string" || value === "") throw fault("printed no token");
    if (/\p{Cc}/u.test(value)) throw fault("printed a token with a control character in it");
    if (expires !== undefined && expires.getTime() <= now)
      throw fault("printed a token that has ended", "sign in with that program again");
    return { secret: new Secret(value), expires };
  };
  if (source.answer === "text") return done(text.replace(/\r?\n$/, ""), byLife);
  const answer = parseObject(text);
  if (answer === undefined) throw fault("did not print JSON");
  switch (source.answer) {
    case "acr": {
      const token = answer["accessToken"];
      return done(token, (typeof token === "string" ? endOfJwt(token) : undefined) ?? byLife);
    }
    case "google": {
      const credential = objectOf(answer["credential"]) ?? {};
      const end = credential["token_expiry"];
      const expires = typeof end === "string" ? new Date(end) : undefined;
      const isKnown = expires !== undefined && !Number.isNaN(expires.getTime());
      return done(credential["access_token"], isKnown ? expires : byLife);
    }
    case "helper": {
      const isToken = answer["Username"] === "<token>";
      if (isToken !== login.identityToken)
        throw fault(
          isToken ? "answered with an identity token" : "answered with a password, and no identity token",
          `in wharf.yaml, identity-token of ${login.name} must be ${isToken}`,
        );
      if (!isToken && answer["Username"] !== login.username)
        throw fault("answered for another username than the login's", "write that one in wharf.yaml");
      return done(answer["Secret"], byLife);
    }
  }
}

/** When a JWT says that it ends, unverified: only to know when to ask again. */
function endOfJwt(token: string): Date | undefined {
  const payload = parseObject(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  const end = payload?.["exp"];
  return typeof end === "number" && end > 0 && end < 1e11 ? new Date(end * 1000) : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return undefined; // The parser's words quote what it read, which is secret here.
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
