import { randomBytes } from "node:crypto";
import { AppError, type Context } from "#core";
import { findProgram, type ProgramResult, type ProgramRun, privateRuntimeFolder, runProgram } from "#system";
import { createGate, type Gate } from "./gate.ts";
import { type RemoteCall, type RemoteIdentity, renderRemote } from "./program-text.ts";
import { type FedCall, renderFed } from "./programs.ts";
import { parseReport } from "./report.ts";
import { parseSettings, type SshSettings } from "./settings.ts";

/** A host as OpenSSH is told of it. */
export interface SshHost {
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** As in messages: `ssh://root@gpu01`. */
  readonly text: string;
}

export interface SshLimits {
  /** Programs of OpenSSH at once, over all hosts. */
  readonly hostsAtOnce: number;
  readonly connectSeconds: number;
  /** For one round trip, with all that it reads or writes. */
  readonly answerSeconds: number;
}

export const SSH_LIMITS: SshLimits = { hostsAtOnce: 32, connectSeconds: 10, answerSeconds: 60 };

/** sshd's MaxSessions is 10 by default: more channels than that on one connection are refused. */
const CHANNELS_PER_CONNECTION = 8;
/** sshd's MaxStartups begins to drop at 10 connections that have not signed in yet. */
const HANDSHAKES_PER_DOOR = 8;
/** How long OpenSSH keeps a connection for the next command. */
const PERSIST_SECONDS = 30;
/** For the executable, packed: 60 MB take ten minutes at 100 kB/s. */
const SEND_MS = 10 * 60_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** What OpenSSH needs of the environment; the secrets that sources may keep there stay here. */
const FOR_OPENSSH =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TERM|TMPDIR|DISPLAY|SSH_[A-Z_]+|KRB5[A-Z_]*|XDG_[A-Z_]+)$/;

/** OpenSSH's exit code for its own failures; a host's program has others. */
const SSH_FAILED = 255;

interface Known {
  readonly settings: Promise<SshSettings>;
  readonly channels: Gate;
  /** Settles when the first command was through: only then is there a connection to share. */
  first: Promise<ProgramResult> | undefined;
  /** It did, or could not. */
  hasConnected: boolean;
}

/**
 * Runs the remote program on hosts through the system's own OpenSSH: the user's configuration, keys, agent and known hosts; nothing is
 * asked. One connection a host, kept for half a minute; bounded numbers of everything at once, so that a dead host holds up nobody.
 */
export class SshConnections {
  readonly #env: Readonly<Record<string, string>>;
  readonly #limits: SshLimits;
  readonly #atOnce: Gate;
  readonly #doors = new Map<string, Gate>();
  readonly #hosts = new Map<string, Known>();

  constructor(env: Readonly<Record<string, string | undefined>>, limits: SshLimits = SSH_LIMITS) {
    this.#env = Object.fromEntries(
      Object.entries(env).filter(
        (pair): pair is [string, string] => pair[1] !== undefined && FOR_OPENSSH.test(pair[0]),
      ),
    );
    this.#limits = limits;
    this.#atOnce = createGate(limits.hostsAtOnce);
  }

  /**
   * One round trip. Gives the answers' lines in the order of the calls, undefined for those that the host did not come to. Throws
   * UNREACHABLE, PERMISSION_DENIED where it may not act as that user, NOT_FOUND for a user who is not there.
   */
  async run(
    context: Context,
    at: SshHost,
    calls: readonly RemoteCall[],
    identity: RemoteIdentity,
  ): Promise<readonly (string | undefined)[]> {
    const known = this.#known(context, at);
    const nonce = `wharf-${randomBytes(12).toString("hex")}`;
    const { command, stdin } = renderRemote(calls, identity, nonce);
    const settings = await known.settings;
    const start = (): Promise<ProgramResult> =>
      this.#atOnce.run(async () =>
        this.#ssh(context, at, [...(await this.#flags(at, settings)), command], { stdin }),
      );
    const result = await this.#throughFirst(known, settings, start);
    return readResult(at, result, { nonce, identity, count: calls.length });
  }

  /** As `run`, for one call whose input is streamed, however long the connection takes for it: ServerAlive finds one that is dead. */
  async send(
    context: Context,
    at: SshHost,
    call: FedCall,
    identity: RemoteIdentity,
  ): Promise<string | undefined> {
    const known = this.#known(context, at);
    const nonce = `wharf-${randomBytes(12).toString("hex")}`;
    const { command, stdin, feed } = renderFed(call, (one) => renderRemote([one], identity, nonce));
    const settings = await known.settings;
    const result = await known.channels.run(() =>
      this.#atOnce.run(async () =>
        this.#ssh(context, at, [...(await this.#flags(at, settings)), command], {
          stdin,
          feed,
          timeoutMs: SEND_MS,
        }),
      ),
    );
    return readResult(at, result, { nonce, identity, count: 1 })[0];
  }

  #known(context: Context, at: SshHost): Known {
    const before = this.#hosts.get(at.text);
    if (before !== undefined) return before;
    const settings = this.#atOnce.run(() => this.#readSettings(context, at));
    const known: Known = {
      settings,
      channels: createGate(CHANNELS_PER_CONNECTION),
      first: undefined,
      hasConnected: false,
    };
    this.#hosts.set(at.text, known);
    return known;
  }

  /** The first command to a host makes its connection, alone; the others wait for it and then share it. */
  async #throughFirst(
    known: Known,
    settings: SshSettings,
    start: () => Promise<ProgramResult>,
  ): Promise<ProgramResult> {
    if (known.first !== undefined) {
      if (!known.hasConnected) {
        const result = await known.first;
        // Who waited for a connection that did not come about need not wait for it once more.
        if (result.exitCode === SSH_FAILED) return result;
      }
      return await known.channels.run(start);
    }
    const door = this.#doors.get(settings.door) ?? createGate(HANDSHAKES_PER_DOOR);
    this.#doors.set(settings.door, door);
    const first = door.run(start);
    known.first = first;
    try {
      return await first;
    } finally {
      known.hasConnected = true;
    }
  }

  async #readSettings(context: Context, at: SshHost): Promise<SshSettings> {
    const { exitCode, stdout, stderr } = await this.#ssh(context, at, ["-G", ...destination(at)], {});
    if (exitCode !== 0) throw unreachable(at, stderr);
    return parseSettings(new TextDecoder().decode(stdout));
  }

  async #flags(at: SshHost, settings: SshSettings): Promise<readonly string[]> {
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
      // Somebody's `no` would send secrets to whoever answers.
      `StrictHostKeyChecking=${settings.strictHostKeys === "accept-new" ? "accept-new" : "yes"}`,
    ];
    if (!settings.hasOwnTimeout) options.push(`ConnectTimeout=${this.#limits.connectSeconds}`);
    if (!settings.hasOwnControl) {
      const folder = await privateRuntimeFolder(this.#env, "wharf-ssh");
      options.push(
        "ControlMaster=auto",
        `ControlPath=${folder}/${settings.mark}`,
        `ControlPersist=${PERSIST_SECONDS}`,
      );
    }
    return ["-T", "-a", "-x", ...options.flatMap((option) => ["-o", option]), ...destination(at)];
  }

  async #ssh(
    context: Context,
    at: SshHost,
    args: readonly string[],
    given: Partial<Pick<ProgramRun, "stdin" | "feed" | "timeoutMs">>,
  ): Promise<ProgramResult> {
    const program = findProgram("ssh", this.#env["PATH"]);
    if (program === undefined)
      throw new AppError("NOT_FOUND", `${at.text}: there is no program ssh here`, {
        hint: "install OpenSSH's client",
      });
    return await runProgram(context, {
      argv: [program, ...args],
      env: this.#env,
      timeoutMs: (this.#limits.connectSeconds + this.#limits.answerSeconds) * 1000,
      ...given,
      maxBytes: MAX_ANSWER_BYTES,
    });
  }
}

function destination(at: SshHost): readonly string[] {
  return [
    ...(at.user === undefined ? [] : ["-l", at.user]),
    ...(at.port === undefined ? [] : ["-p", String(at.port)]),
    "--",
    at.host,
  ];
}

function readResult(
  at: SshHost,
  result: ProgramResult,
  asked: { readonly nonce: string; readonly identity: RemoteIdentity; readonly count: number },
): readonly (string | undefined)[] {
  const { stage, lines } = parseReport(result.stdout, asked.nonce);
  const who = asked.identity.user ?? "root";
  switch (stage) {
    case "none":
      throw unreachable(at, result.stderr);
    case "stranger":
      throw new AppError("NOT_FOUND", `${at.text}: there is no user ${who} on that host`);
    case "powerless":
      throw new AppError("PERMISSION_DENIED", `${at.text}: only root can deliver into the home of ${who}`, {
        hint: "sign in there as root or as that person, or add sudo: true to the delivery",
      });
    case "login":
      throw new AppError(
        "PERMISSION_DENIED",
        `${at.text}: it could not act as ${who} there: ${lastLine(result.stderr)}`,
        { hint: `it must work without a password: ssh ${at.host} sudo -n -u ${who} true` },
      );
    case "begin":
    case "end":
      return Array.from({ length: asked.count }, (_, index) => lines[index]);
  }
}

function unreachable(at: SshHost, stderr: string): AppError {
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
function lastLine(text: string): string {
  const line = text.trim().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "ssh ended without a word" : line.slice(0, 300);
}
