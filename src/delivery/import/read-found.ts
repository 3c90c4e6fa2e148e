import { dirname, resolve } from "node:path";
import { type FoundLogin, type FoundLogins, findLogins, type Unusable } from "#consumers/found-logins";
import { AppError, type Context, type Secret, toAppError } from "#core";
import { checkSecret, type SecretReader } from "#logins";
import { homeFolder, readFileLimited, readTextLimited } from "#system";
import type { ImportPlan } from "./contract.ts";

const MAX_FILE_BYTES = 8 * 1024 * 1024;
const MAX_SECRET_BYTES = 64 * 1024;
/** Files that command lines name, and those in turn. */
const MAX_FILES = 1_000;

/** A found login with its secret in hand. */
export interface ReadLogin extends FoundLogin {
  readonly secret: Secret;
}

export interface ReadFiles {
  readonly logins: readonly ReadLogin[];
  readonly unusable: readonly Unusable[];
  readonly unread: ImportPlan["unread"];
}

export interface ReadInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; those that must be there (somebody named them) and those that may. */
  readonly paths: readonly { readonly path: string; readonly isNamed: boolean }[];
  /** The password of Ansible Vault; asked for once, and only where a file needs it. */
  readonly vaultPassword: SecretReader["ansiblePassword"];
}

/** Reads files, the files of logins that their command lines name, and the files that these read a secret from. Runs nothing. */
export async function readFound(context: Context, input: ReadInput): Promise<ReadFiles> {
  const logins: ReadLogin[] = [];
  const unusable: Unusable[] = [];
  const unread: ImportPlan["unread"][number][] = [];
  const queue = [...input.paths];
  const seen = new Set<string>();
  for (const { path, isNamed } of queue) {
    if (context.signal.aborted) throw new AppError("INTERRUPTED", "interrupted");
    if (seen.has(path)) continue;
    if (seen.size === MAX_FILES) throw new AppError("TOO_LARGE", `more than ${MAX_FILES} files are named`);
    seen.add(path);
    try {
      const found = await readOne(path, isNamed, input);
      if (found === undefined) continue;
      unusable.push(...found.unusable);
      for (const { file } of found.references)
        queue.push({ path: expand(file, path, input.env), isNamed: true });
      for (const login of found.logins) {
        const read = await withSecret(login, path, input.env);
        if ("why" in read) unusable.push(read);
        else logins.push(read);
      }
    } catch (cause) {
      const error = toAppError(cause);
      if (error.code === "INTERNAL" || error.code === "INTERRUPTED") throw error;
      unread.push({ path, error });
    }
  }
  return { logins, unusable, unread };
}

async function readOne(path: string, isNamed: boolean, input: ReadInput): Promise<FoundLogins | undefined> {
  const bytes = await readFileLimited(path, MAX_FILE_BYTES);
  if (bytes === undefined) {
    if (!isNamed) return undefined;
    throw new AppError("NOT_FOUND", `there is no file ${path}`);
  }
  const isVault = Buffer.from(bytes).includes("$ANSIBLE_VAULT");
  const vaultPasswords = isVault ? [await input.vaultPassword({})] : [];
  const found = findLogins({ path, bytes, vaultPasswords });
  if (found === undefined)
    throw new AppError("FILE_INVALID", `${path} is no text, or too large for a file of logins`);
  return found;
}

async function withSecret(
  login: FoundLogin,
  path: string,
  env: ReadInput["env"],
): Promise<ReadLogin | Unusable> {
  const { secret } = login;
  if ("reveal" in secret) return { ...login, secret };
  const file = expand(secret.file, path, env);
  const text = await readTextLimited(file, MAX_SECRET_BYTES);
  if (text === undefined) return { where: login.where, why: `its secret is in ${file}, which is not there` };
  return { ...login, secret: checkSecret({ name: `${login.username} at ${login.registry}` }, text, file) };
}

/** As the shell would: `~` and `$HOME`; relative to the folder of the file that names it. Other variables stay, and are not found. */
function expand(file: string, namedBy: string, env: ReadInput["env"]): string {
  const home = homeFolder(env);
  const expanded = file.replace(/^~(?=\/|$)/, () => home).replace(/^\$(?:HOME|\{HOME\})(?=\/|$)/, () => home);
  return resolve(dirname(namedBy), expanded);
}
