/** A line as Enroot itself reads it, `machine HOST login USER password …`, in this order and on one line. */
export interface NetrcLine {
  readonly host: string;
  readonly user: string;
  /** White space before `machine`: Enroot 4 finds the user on such a line, but not the password. */
  readonly indented: boolean;
  /** The sixth word and all behind it, as it stands. */
  readonly password: string;
}

/** undefined for every other line: comments, blocks over several lines, `default`. */
export function parseNetrcLine(line: string): NetrcLine | undefined {
  const found = /^(\s*)machine\s+(\S+)\s+login\s+(\S+)(?:\s+password\s+(.*?))?\s*$/.exec(line);
  if (found === null) return undefined;
  const [, indent, host, user, password] = found;
  return { host: host ?? "", user: user ?? "", indented: indent !== "", password: password ?? "" };
}

/** The key of a line in changes and in the state. */
export function netrcKey(host: string, user: string): string {
  return `machine ${host} login ${user}`;
}

/** How a password can stand in the file: its text and what curl then sends, or why it cannot. */
export type WrittenPassword =
  | { readonly text: string; readonly sends: string }
  | { readonly reason: string; readonly hint: string };

const OLDEST_QUOTING = "7.84";

/**
 * The password as curl and Enroot read it: as it is wherever that is safe; in double quotes where curl is new enough. A leading `$` is
 * never written bare: Enroot would give it to a shell. Google's JSON key is made one word without changing what it means.
 */
export function renderNetrcPassword(
  login: { readonly username: string; readonly secret: string },
  curl: string | undefined,
): WrittenPassword {
  const secret = login.username === "_json_key" ? compactJson(login.secret) : login.secret;
  if (/(?![\n\r\t])\p{Cc}/u.test(secret))
    return { reason: "its secret has a control character in it", hint: "make a new secret at the registry" };
  if (secret.length > 256 && curl !== undefined && isOlder(curl, "7.61"))
    return {
      reason: `its secret is longer than the 256 characters that curl ${curl} reads`,
      hint: "bring curl to 7.84 or newer on the compute nodes",
    };
  if (!/\s/.test(secret) && !/^[$"#]/.test(secret)) return { text: secret, sends: secret };
  if (curl === undefined || isOlder(curl, OLDEST_QUOTING)) {
    const which =
      curl === undefined ? "the compute nodes' curl, whose version is not known," : `curl ${curl}`;
    return {
      reason: `its secret must stand in quotes, which ${which} may not read`,
      hint: `make a secret without spaces that does not begin with $, " or #, or say curl: "${OLDEST_QUOTING}" in the delivery where every node has that or newer`,
    };
  }
  const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const quoted = secret.replace(/[\\"\n\r\t]/g, (char) => escapes[char] ?? `\\${char}`);
  return { text: `"${quoted}"`, sends: secret };
}

/** Enroot takes a user as a regular expression when it looks for his password: these would not match themselves. */
export function isPlainUser(user: string): boolean {
  return !/[\s*[\\]|^["#]|\$$/.test(user);
}

export function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = than.split(".").map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

/** The same JSON without white space, spaces inside its strings written as escapes; anything else as it is. */
function compactJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text)).replaceAll(" ", "\\u0020");
  } catch {
    return text;
  }
}
