import { openVars, parseVars, readRegistryList, type VaultPassword } from "#ansible";
import { isAppError } from "#core";
import type { FoundLogins, RawLogin, Unusable } from "./contract.ts";
import { gather, NOTHING } from "./gathered.ts";

/** The logins of DeepOps' vars file, in clear, or in Ansible Vault as a whole or value by value. */
export function ansibleLogins(
  text: string,
  { path, firstLine }: { readonly path: string; readonly firstLine: number },
  passwords: readonly VaultPassword[],
): FoundLogins {
  let entries: NonNullable<ReturnType<typeof readRegistryList>>["entries"];
  try {
    const { clear } = openVars(text, passwords, path);
    entries = readRegistryList(parseVars(clear, path), passwords)?.entries ?? [];
  } catch (cause) {
    if (!isAppError(cause)) throw cause;
    return { ...NOTHING, unusable: [{ where: path, why: cause.message }] };
  }
  const raw: RawLogin[] = [];
  const unusable: Unusable[] = [];
  for (const { registry = "docker.io", username, password, line } of entries) {
    const where = `${path}:${firstLine + line - 1}`;
    if (username.kind === "text" && password.kind === "text")
      raw.push({ registry, username: username.text.reveal(), secret: password.text, where });
    else
      unusable.push({
        where,
        why: [username, password].flatMap((value) => (value.kind === "unknown" ? value.why : []))[0] ?? "",
      });
  }
  return gather(raw, unusable);
}
