import { AppError } from "#core";
import { parseHostList } from "./host-list.ts";

/** One host that is reached over SSH. */
export interface SshAddress {
  /** Name for OpenSSH: an alias of its configuration, a host name, or an IP address. */
  readonly host: string;
  /** undefined: what OpenSSH's configuration says. */
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** Acts as root, or as another user, by sudo. */
  readonly sudo: boolean;
  /** The one spelling of it: `ssh://[user@]host[:port][?sudo]`. */
  readonly text: string;
}

/**
 * The hosts of `ssh://[user@]HOSTS[:port][?sudo]`; HOSTS is a name, an address (`[::1]` for IPv6) or a Slurm host list. Throws
 * INVALID_INPUT.
 */
export function parseSshAddresses(text: string): readonly SshAddress[] {
  const parts = /^ssh:\/\/(?:([^@]*)@)?(.+?)(?::(\d{1,5}))?(\?sudo)?$/s.exec(text);
  const hosts = parts?.[2];
  if (parts === null || hosts === undefined) throw invalid(text, "it is not ssh://[user@]host[:port]");
  const user = parts[1];
  if (user !== undefined && !isUserName(user))
    throw invalid(text, `${JSON.stringify(user.slice(0, 60))} is not a user's name`);
  const port = parts[3] === undefined ? undefined : Number(parts[3]);
  if (port !== undefined && (port < 1 || port > 65_535)) throw invalid(text, `there is no port ${port}`);
  const sudo = parts[4] !== undefined;
  const address = /^\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\]$/.exec(hosts)?.[1];
  const names = address === undefined ? parseHostList(hosts) : [address];
  return names.map((host) => {
    const shown = address === undefined ? host : `[${host}]`;
    const login = user === undefined ? "" : `${user}@`;
    const end = `${port === undefined ? "" : `:${port}`}${sudo ? "?sudo" : ""}`;
    return { host, user, port, sudo, text: `ssh://${login}${shown}${end}` };
  });
}

/** A name that no program takes for an option, and no shell for anything else. */
export function isUserName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,63}$/.test(name) && !name.includes("..");
}

function invalid(text: string, why: string): AppError {
  return new AppError("INVALID_INPUT", `${JSON.stringify(text.slice(0, 80))}: ${why}`, {
    hint: "write ssh://host, ssh://user@host:22 or ssh://gpu[01-64]",
  });
}
