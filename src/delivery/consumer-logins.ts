import type { ConsumerLogin } from "#consumers";
import { AppError, isAppError } from "#core";
import type { Login, SecretReader } from "#logins";
import { readTextLimited } from "#system";

/** Not one login's fault. */
const FOR_ALL: ReadonlySet<string> = new Set(["VAULT_KEY_WRONG", "VAULT_TAMPERED", "INTERRUPTED"]);

/** Logins ready for a consumer, and those whose secret could not be had. */
export interface ReadyLogins {
  readonly ready: readonly ConsumerLogin[];
  readonly failed: readonly { readonly login: string; readonly error: AppError }[];
}

/**
 * Reads what the logins need: secret and CA. A login whose secret is not to be had fails alone; a vault that does not open, or is
 * not believed, throws: nothing of it can be delivered.
 */
export async function readyLogins(logins: readonly Login[], secrets: SecretReader): Promise<ReadyLogins> {
  const ready: ConsumerLogin[] = [];
  const failed: { login: string; error: AppError }[] = [];
  for (const login of logins) {
    try {
      ready.push(await readyLogin(login, secrets));
    } catch (cause) {
      if (!isAppError(cause) || FOR_ALL.has(cause.code)) throw cause;
      failed.push({ login: login.name, error: cause });
    }
  }
  return { ready, failed };
}

export async function readyLogin(login: Login, secrets: SecretReader): Promise<ConsumerLogin> {
  const ca = login.caFile === undefined ? undefined : await readCa(login, login.caFile);
  const expires = await secrets.readExpires(login);
  return {
    name: login.name,
    registry: login.registry,
    path: login.path,
    username: login.username,
    secret: await secrets.read(login),
    ...(login.identityToken ? { identityToken: true } : {}),
    ...(login.realmHosts === undefined ? {} : { realmHosts: login.realmHosts }),
    ...(ca === undefined ? {} : { ca }),
    ...(expires === undefined ? {} : { expires }),
  };
}

/** The PEM text of a login's private CA. Throws INVALID_INPUT where the file is missing or holds something else, a private key above all. */
export async function readCa(login: Pick<Login, "name">, path: string): Promise<string> {
  const text = await readTextLimited(path, 1024 * 1024);
  if (text === undefined)
    throw new AppError("INVALID_INPUT", `login ${login.name}: there is no CA file ${path}`);
  if (/PRIVATE KEY-----/.test(text))
    throw new AppError(
      "INVALID_INPUT",
      `login ${login.name}: ${path} holds a private key, which must not be delivered`,
      {
        hint: "name a file with the CA's certificate alone",
      },
    );
  if (!text.includes("-----BEGIN CERTIFICATE-----"))
    throw new AppError("INVALID_INPUT", `login ${login.name}: ${path} holds no PEM certificate`);
  return text;
}
