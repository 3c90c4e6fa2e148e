import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Catalog } from "#catalog";
import { AppError, type Secret } from "#core";
import {
  type Clock,
  createFileDurable,
  hashPassword,
  readTextLimited,
  removeFile,
  systemClock,
} from "#system";
import { parsePassword } from "./password-rule.ts";

const NAME = "admin";
const FILE = "admin-password";

export interface FirstAdmin {
  readonly username: string;
  /** Where its password lies; undefined when it was changed, or came from a file of the caller's. */
  readonly passwordFile: string | undefined;
  /** True when this start made it. */
  readonly isNew: boolean;
}

/**
 * Makes the user `admin` when there is no user at all, with a random password in `DIR/admin-password` (0600), or with the text
 * of `passwordFile`. Safe when several processes start at once. Throws INVALID_INPUT for a password file that is not there
 * or whose password is too weak.
 */
export async function ensureFirstAdmin(options: {
  readonly catalog: Catalog;
  readonly dir: string;
  readonly passwordFile?: string | undefined;
  readonly clock?: Clock;
}): Promise<FirstAdmin> {
  const { catalog, dir, clock = systemClock } = options;
  const kept = join(dir, FILE);
  if (catalog.read(() => catalog.users.count()) > 0) {
    const text = await readTextLimited(kept, 4096);
    return { username: NAME, passwordFile: text === undefined ? undefined : kept, isNew: false };
  }
  const given = options.passwordFile;
  // The file first: a crash between the two leaves a password nobody has, and the next start uses that file's.
  const password = given === undefined ? await readOrCreatePassword(kept) : await readPassword(given);
  const hash = await hashPassword(password);
  const isNew = await catalog.write(["access"], () => {
    if (catalog.users.count() > 0) return false;
    const createdAt = clock.now();
    catalog.users.create({
      name: NAME,
      description: "first admin",
      admin: true,
      passwordHash: hash,
      createdAt,
    });
    return true;
  });
  return { username: NAME, passwordFile: given === undefined ? kept : undefined, isNew };
}

/** To be called when a user's password was changed: the first admin's file would only mislead. */
export async function forgetFirstPassword(dir: string, username: string): Promise<void> {
  if (username === NAME) await removeFile(join(dir, FILE));
}

async function readOrCreatePassword(path: string): Promise<Secret> {
  await createFileDurable(path, `${randomBytes(18).toString("base64url")}\n`);
  return readPassword(path);
}

async function readPassword(path: string): Promise<Secret> {
  const text = await readTextLimited(path, 4096);
  if (text === undefined)
    throw new AppError("INVALID_INPUT", `the admin's password file ${path} is not there`, {
      hint: "write the password into it, one line, mode 0600",
    });
  return parsePassword(text.replace(/\r?\n$/, ""));
}
