import { quoteShell } from "#core";
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
  /** What it reads first, before any call. */
  readonly opening: Uint8Array;
}

/**
 * A program that stays there and does what it is asked, until its standard input ends: first a program that says `NONCE login` and
 * becomes the user, then one that says `NONCE begin`, and `NONCE next` after each call. What a shell's start-up files print comes before
 * those lines. Each line that it is asked begins with the nonce: were a file's content ever read in the place of a line, nothing of it
 * would be done.
 */
export function renderProgram(identity: RemoteIdentity, nonce: string): RemoteProgram {
  const work = encode(
    [
      REMOTE_PROGRAM,
      `printf '\\n%s\\n' ${quoteShell(`${nonce} begin`)}`,
      // A time limit of somebody's on reading.
      "unset TMOUT",
      "nl='\n'",
      "while read -r mark words; do",
      `  [ "$mark" = ${quoteShell(nonce)} ] || exit 1`,
      "  case $words in",
      `    end) printf '%s\\n' ${quoteShell(`${nonce} end`)} ;;`,
      "    leave) exit 0 ;;",
      `    *) ( eval "$words" ); printf '\\n%s\\n' ${quoteShell(`${nonce} next`)} ;;`,
      "  esac",
      "done",
      "",
    ].join("\n"),
  );
  // Nobody to become: one program, and one process less.
  if (identity.user === undefined && !identity.sudo) {
    const both = Buffer.concat([encode(renderLogin(nonce)), work]);
    return { command: `exec /bin/sh -c '${bootstrap(both.length)}'`, opening: both };
  }
  const become = encode(renderBecoming(identity, nonce, bootstrap(work.length)));
  return {
    command: `exec /bin/sh -c '${bootstrap(become.length)}'`,
    opening: Buffer.concat([become, work]),
  };
}

/** The calls' lines, each with what it reads behind it; then what makes the program say `NONCE end`. */
export function renderCalls(calls: readonly RemoteCall[], nonce: string): Uint8Array {
  return Buffer.concat([
    ...calls.flatMap(({ words, input }) => [
      encode(`${nonce} ${words.map(quoteInLine).join(" ")}\n`),
      ...(input === undefined ? [] : [input]),
    ]),
    encode(`${nonce} end\n`),
  ]);
}

/** Everything of one round trip at once, after which the program leaves: for who cannot talk with it. */
export function renderRemote(
  calls: readonly RemoteCall[],
  identity: RemoteIdentity,
  nonce: string,
): { readonly command: string; readonly stdin: Uint8Array } {
  const { command, opening } = renderProgram(identity, nonce);
  return {
    command,
    stdin: Buffer.concat([opening, renderCalls(calls, nonce), encode(`${nonce} leave\n`)]),
  };
}

/** Reads a program of that many bytes, and not one more, and runs it. */
function bootstrap(sizeBytes: number): string {
  return `eval "$(dd bs=${sizeBytes} count=1 iflag=fullblock status=none)"`;
}

function renderBecoming({ user, sudo }: RemoteIdentity, nonce: string, next: string): string {
  const start = renderLogin(nonce);
  const inShell = `/bin/sh -c ${quoteShell(next)}`;
  if (user === undefined) return `${start}[ "$(id -u)" = 0 ] || exec sudo -n -H -- ${inShell}\n${next}\n`;
  // Each way gives the user's own home; a mere change of user would keep root's.
  return `${start}user=${quoteShell(user)}
uid=$(id -u -- "$user" 2>/dev/null) || { echo ${quoteShell(`${nonce} stranger`)}; exit 0; }
[ "$(id -u)" = "$uid" ] || {
  ${sudo ? `[ "$(id -u)" = 0 ] || exec sudo -n -H -u "$user" -- ${inShell}` : `[ "$(id -u)" = 0 ] || { echo ${quoteShell(`${nonce} powerless`)}; exit 0; }`}
  if command -v getent >/dev/null 2>&1; then entry=$(getent passwd "$user"); else entry=$(grep "^$user:" /etc/passwd); fi
  home=$(printf %s "$entry" | cut -d: -f6)
  set -- env -i HOME="$home" USER="$user" LOGNAME="$user" PATH="$PATH" SHELL=/bin/sh ${inShell}
  cd / || exit 1
  if command -v setpriv >/dev/null 2>&1; then exec setpriv --reuid="$uid" --regid="$(id -g -- "$user")" --init-groups -- "$@"; fi
  if command -v runuser >/dev/null 2>&1; then exec runuser -u "$user" -- "$@"; fi
  export HOME="$home" USER="$user" LOGNAME="$user"
  exec su -s /bin/sh -c ${quoteShell(next)} -- "$user"
}
${next}
`;
}

function renderLogin(nonce: string): string {
  return `printf '\\n%s\\n' ${quoteShell(`${nonce} login`)}\n`;
}

/** A word in a line that is read as one. */
function quoteInLine(word: string): string {
  return quoteShell(word).replaceAll("\n", `'"$nl"'`);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
