import { userInfo } from "node:os";

/** Whose process this is. */
export interface Account {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** `HOME` where it is set, as programs take it, else the account's. */
  readonly home: string;
}

/** The account of this process. */
export function currentAccount(env: Readonly<Record<string, string | undefined>> = process.env): Account {
  const info = userInfo();
  const home = env["HOME"];
  return {
    user: info.username,
    uid: info.uid,
    gid: info.gid,
    home: home === undefined || !home.startsWith("/") ? info.homedir : home,
  };
}
