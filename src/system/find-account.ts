import { readTextLimited } from "./read-limited.ts";

/** A user of this machine. */
export interface LocalAccount {
  readonly user: string;
  readonly uid: number;
  readonly home: string;
}

/** The account of that name in /etc/passwd; undefined where there is none (people of a directory service are not in that file). */
export async function findAccount(user: string): Promise<LocalAccount | undefined> {
  const text = (await readTextLimited("/etc/passwd", 16 * 1024 * 1024)) ?? "";
  for (const line of text.split("\n")) {
    const [name, , uid, , , home] = line.split(":");
    if (name !== user || uid === undefined || home === undefined || !home.startsWith("/")) continue;
    return { user, uid: Number(uid), home };
  }
  return undefined;
}
