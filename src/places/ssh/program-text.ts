import { REMOTE_PROGRAM } from "./remote-program.ts";

/** What one operation asks of the remote program: a line of it, and what that line reads on standard input. */
export interface RemoteCall {
  readonly words: readonly string[];
  readonly input?: Uint8Array;
}

/** As whom the operations run on the host. */
export interface RemoteIdentity {
  /** undefined: whoever signs in there, root with `sudo`. */
  readonly user: string | undefined;
  readonly sudo: boolean;
}

export interface RemoteProgram {
  /** For the shell of whoever signs in there, whichever that is: no newline, one pair of quotes. */
  readonly command: string;
  readonly stdin: Uint8Array;
}

/**
 * Everything of one round trip: two programs, then the contents to write. The first says `NONCE login` and becomes the user; the second
 * says `NONCE begin`, does the calls, and says `NONCE end`. What a shell's start-up files print comes before those lines.
 */
export function renderRemote(
  calls: readonly RemoteCall[],
  identity: RemoteIdentity,
  nonce: string,
): RemoteProgram {
  const work = encode(
    [
      REMOTE_PROGRAM,
      `printf '\\n%s\\n' ${quote(`${nonce} begin`)}`,
      ...calls.map(({ words }) => `( ${words.map(quote).join(" ")} )`),
      `printf '%s\\n' ${quote(`${nonce} end`)}`,
      "",
    ].join("\n"),
  );
  const become = encode(renderBecoming(identity, nonce, bootstrap(work.length)));
  return {
    command: `exec /bin/sh -c '${bootstrap(become.length)}'`,
    stdin: Buffer.concat([
      become,
      work,
      ...calls.flatMap(({ input }) => (input === undefined ? [] : [input])),
    ]),
  };
}

/** Reads a program of that many bytes, and not one more, and runs it. */
function bootstrap(sizeBytes: number): string {
  return `eval "$(dd bs=${sizeBytes} count=1 iflag=fullblock status=none)"`;
}

function renderBecoming({ user, sudo }: RemoteIdentity, nonce: string, next: string): string {
  const start = `printf '\\n%s\\n' ${quote(`${nonce} login`)}\n`;
  const inShell = `/bin/sh -c ${quote(next)}`;
  if (user === undefined)
    return sudo
      ? `${start}[ "$(id -u)" = 0 ] || exec sudo -n -H -- ${inShell}\n${next}\n`
      : `${start}${next}\n`;
  // Each way gives the user's own home; a mere change of user would keep root's.
  return `${start}user=${quote(user)}
uid=$(id -u -- "$user" 2>/dev/null) || { echo ${quote(`${nonce} stranger`)}; exit 0; }
[ "$(id -u)" = "$uid" ] || {
  ${sudo ? `[ "$(id -u)" = 0 ] || exec sudo -n -H -u "$user" -- ${inShell}` : `[ "$(id -u)" = 0 ] || { echo ${quote(`${nonce} powerless`)}; exit 0; }`}
  if command -v getent >/dev/null 2>&1; then entry=$(getent passwd "$user"); else entry=$(grep "^$user:" /etc/passwd); fi
  home=$(printf %s "$entry" | cut -d: -f6)
  set -- env -i HOME="$home" USER="$user" LOGNAME="$user" PATH="$PATH" SHELL=/bin/sh ${inShell}
  cd / || exit 1
  if command -v setpriv >/dev/null 2>&1; then exec setpriv --reuid="$uid" --regid="$(id -g -- "$user")" --init-groups -- "$@"; fi
  if command -v runuser >/dev/null 2>&1; then exec runuser -u "$user" -- "$@"; fi
  export HOME="$home" USER="$user" LOGNAME="$user"
  exec su -s /bin/sh -c ${quote(next)} -- "$user"
}
${next}
`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
