import { AppError } from "#core";

/** A host as OpenSSH is told of it. */
export interface SshDestination {
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** As in messages: `ssh://root@gpu01`. */
  readonly text: string;
}

/** What OpenSSH needs of the environment; the secrets that sources may keep there stay here. */
const FOR_OPENSSH =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TERM|TMPDIR|DISPLAY|SSH_[A-Z_]+|KRB5[A-Z_]*|XDG_[A-Z_]+)$/;

export function sshEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (pair): pair is [string, string] => pair[1] !== undefined && FOR_OPENSSH.test(pair[0]),
    ),
  );
}

/**
 * OpenSSH's arguments for a connection that only runs a command: nothing is asked, nothing forwarded, one that died is noticed; all else is as the user
 * has configured it. `more` are further `-o` options.
 */
export function sshArguments(at: SshDestination, more: readonly string[]): readonly string[] {
  const options = [
    "BatchMode=yes",
    "RequestTTY=no",
    "RemoteCommand=none",
    "PermitLocalCommand=no",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "LogLevel=ERROR",
    ...more,
  ];
  return ["-T", "-a", "-x", ...options.flatMap((option) => ["-o", option]), ...sshDestinationWords(at)];
}

export function sshDestinationWords({ host, user, port }: SshDestination): readonly string[] {
  return [
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    "--",
    host,
  ];
}

/** The error of a host whose program never answered; `stderr` is what OpenSSH said. */
export function sshUnreachable(at: SshDestination, stderr: string): AppError {
  const command = [
    "ssh",
    ...(at.port === undefined ? [] : [`-p ${at.port}`]),
    `${at.user === undefined ? "" : `${at.user}@`}${at.host}`,
    "true",
  ];
  return new AppError("UNREACHABLE", `${at.text}: ${lastLine(stderr)}`, {
    hint: `see it by hand: ${command.join(" ")}; wharf signs in as OpenSSH does, and is never asked anything`,
  });
}

/** OpenSSH and sudo say last what it came to. */
export function lastLine(text: string): string {
  const line = text.trim().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "ssh ended without a word" : line.slice(0, 300);
}
