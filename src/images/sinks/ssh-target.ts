import { AppError } from "#core";
import type { SshDestination } from "#system";

/** A file on a host that is reached over SSH. */
export interface SshTarget extends SshDestination {
  /** Absolute, or `~/…` below the home of whoever signs in there. */
  readonly path: string;
}

/** Parses `ssh://[user@]host[:port]/path`; `/~/…` is below the home there. The path is taken as it is written. Throws INVALID_INPUT. */
export function parseSshTarget(text: string): SshTarget {
  const parts = /^ssh:\/\/(?:([^@/]*)@)?(\[[0-9A-Fa-f:.]+\]|[^/:@[\]]+)(?::(\d{1,5}))?(\/.*)$/s.exec(text);
  const [, user, host = "", port, path = ""] = parts ?? [];
  if (parts === null) throw invalid(text, "it is not ssh://[user@]host[:port]/path");
  // Nothing that a program takes for an option.
  if (!/^[A-Za-z0-9_.:[\]][A-Za-z0-9_.:%[\]-]*$/.test(host)) throw invalid(text, "its host is not one");
  if (user !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,63}$/.test(user))
    throw invalid(text, "its user is not one");
  const number = port === undefined ? undefined : Number(port);
  if (number === 0 || (number ?? 1) > 65_535) throw invalid(text, `there is no port ${port}`);
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === "" || name === "." || name === ".." || name === "~" || path.includes("\0"))
    throw invalid(text, "its path names no file");
  return {
    host: host.startsWith("[") ? host.slice(1, -1) : host,
    user,
    port: number,
    path: path.startsWith("/~/") ? path.slice(1) : path,
    text: text.slice(0, text.length - path.length),
  };
}

function invalid(text: string, why: string): AppError {
  return new AppError("INVALID_INPUT", `${JSON.stringify(text.slice(0, 200))}: ${why}`, {
    hint: "write ssh://host/folder/file, or ssh://user@host:22/~/file for one in the home there",
  });
}
