import { Secret } from "#core";
import { parseAuth } from "./auth-entry.ts";

/** What of a registry's `auth` logs in, as containerd and what is built on it know it; empty where a field is not there. */
export interface RegistryAuth {
  readonly username: string;
  readonly password: Secret;
  readonly auth: Secret;
  readonly identityToken: Secret;
}

/** A login as containerd takes it from such an entry (ParseAuth): a username first, then the identity token, then `auth`. */
export function loginOf(
  auth: RegistryAuth,
):
  | { readonly username: string; readonly secret: Secret; readonly identityToken: boolean }
  | "broken"
  | undefined {
  if (auth.username !== "") return { username: auth.username, secret: auth.password, identityToken: false };
  const pair = auth.auth.length === 0 ? undefined : parseAuth(auth.auth.reveal());
  if (auth.identityToken.length > 0) {
    const username = typeof pair === "object" ? pair.username : "";
    return { username, secret: auth.identityToken, identityToken: true };
  }
  if (pair === undefined || pair === "broken") return pair;
  return { ...pair, identityToken: false };
}

/** The entry that we write: `auth`, and beside it the identity token where there is one. */
export function registryAuth(auth: string, identityToken: string | undefined): RegistryAuth {
  return {
    username: "",
    password: new Secret(""),
    auth: new Secret(auth),
    identityToken: new Secret(identityToken ?? ""),
  };
}

/** In words, what of two entries is not the same; empty where they are alike to the letter. Never content. */
export function authDifferences(there: RegistryAuth, wanted: RegistryAuth): readonly string[] {
  const isSameText =
    there.username === wanted.username &&
    there.password.equals(wanted.password) &&
    there.auth.equals(wanted.auth) &&
    there.identityToken.equals(wanted.identityToken);
  if (isSameText) return [];
  const [old, now] = [loginOf(there), loginOf(wanted)];
  if (typeof old !== "object" || typeof now !== "object") return ["form"];
  const found: string[] = [];
  if (old.username !== now.username) found.push("username");
  if (!old.secret.equals(now.secret)) found.push("secret");
  return found.length === 0 ? ["form"] : found;
}
