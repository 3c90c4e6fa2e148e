import { isAppError, Secret } from "#core";
import { parseEntry } from "../auth-entry.ts";
import { authsOf } from "../auth-file.ts";
import { isPlaceholder } from "../faults/placeholder.ts";
import { isBareAuths } from "../faults/recognise-part.ts";
import { fieldOf, type JsonMember, parseJsonText, stringField } from "../json-text.ts";
import type { FoundLogins, RawLogin, Unusable } from "./contract.ts";
import { gather, NOTHING } from "./gathered.ts";

/** The logins of a config.json, auth.json or what is in a Secret; without `auths` around them too. */
export function authLogins(text: string, path: string): FoundLogins {
  let root: ReturnType<typeof parseJsonText>;
  try {
    root = parseJsonText(text, path);
  } catch (cause) {
    if (!isAppError(cause, "FILE_INVALID")) throw cause;
    return { ...NOTHING, unusable: [{ where: path, why: "it does not parse; `wharf doctor` says where" }] };
  }
  const members = isBareAuths(root) ? root.members : (authsOf(root)?.members ?? []);
  const raw: RawLogin[] = [];
  const unusable: Unusable[] = [];
  const store = stringField(root, "credsStore") ?? "";
  const helpers = fieldOf(root, "credHelpers")?.value;
  for (const member of members) {
    const found = loginOf(member, path);
    if (found !== undefined) raw.push(found);
    else if (parseEntry(member.value).auth === "broken")
      unusable.push({
        where: `${path}: ${member.key}`,
        why: "its auth cannot be decoded",
        isExample: isPlaceholder(stringField(member.value, "auth") ?? ""),
      });
    else if (store !== "")
      unusable.push({
        where: `${path}: ${member.key}`,
        why: `docker-credential-${store} has it, and wharf runs no helper: ask it for the secret and give it to wharf login`,
      });
  }
  for (const { key, value } of helpers?.kind === "object" ? helpers.members : [])
    if (value.kind === "string" && value.value !== "" && value.value !== "wharf")
      unusable.push({
        where: `${path}: ${key}`,
        why: `docker-credential-${value.value} has it, and wharf runs no helper`,
      });
  return gather(raw, unusable);
}

function loginOf({ key, value }: JsonMember, path: string): RawLogin | undefined {
  const { auth, username, password, identityToken } = parseEntry(value);
  if (auth === "broken") return undefined;
  const about = { registry: key, where: `${path}: ${key}` };
  const user = auth?.username ?? username ?? "";
  if (identityToken !== undefined)
    return { ...about, username: user, secret: identityToken, identityToken: true };
  const secret = auth?.secret ?? password;
  if (user === "" || secret === undefined || secret.length === 0) return undefined;
  // `echo` added it: no registry's secret ends so.
  return { ...about, username: user, secret: new Secret(secret.reveal().replace(/[\r\n]+$/, "")) };
}
