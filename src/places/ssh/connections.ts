import { randomBytes } from "node:crypto";
import { AppError, type Context } from "#core";
import {
  type ConversationLimits,
  converse,
  findProgram,
  lastLine,
  type ProgramResult,
  type ProgramRun,
  privateRuntimeFolder,
  runProgram,
  type SshDestination,
  sshArguments,
  sshDestinationWords,
  sshEnvironment,
  sshUnreachable,
} from "#system";
import { createGate, type Gate } from "./gate.ts";
import { HostSessions } from "./host-sessions.ts";
import { type RemoteCall, type RemoteIdentity, renderRemote } from "./program-text.ts";
import { type FedCall, renderFed } from "./programs.ts";
import { parseReport } from "./report.ts";
import { RemoteSession, type Told } from "./session.ts";
import { parseSettings, type SshSettings } from "./settings.ts";

export type SshHost = SshDestination;

export interface SshLimits {
  /** Programs of OpenSSH at once, over all hosts. */
  readonly hostsAtOnce: number;
  readonly connectSeconds: number;
  /** For one round trip, with all that it reads or writes. */
  readonly answerSeconds: number;
}

export const SSH_LIMITS: SshLimits = { hostsAtOnce: 32, connectSeconds: 10, answerSeconds: 60 };

/** sshd's MaxStartups begins to drop at 10 connections that have not signed in yet. */
const HANDSHAKES_PER_DOOR = 8;
/** How long OpenSSH keeps a connection for the next command. */
const PERSIST_SECONDS = 60;
/** For the executable, packed: 60 MB take ten minutes at 100 kB/s. */
const SEND_MS = 10 * 60_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** OpenSSH's exit code for its own failures; a host's program has others. */
const SSH_FAILED = 255;

interface Known {
  readonly settings: Promise<SshSettings>;
  readonly sessions: HostSessions;
  /** A connection is being made, with the first program on it; settles when that has answered. */
  first: Promise<Told> | undefined;
  /** There is one to share, as long as OpenSSH keeps it. */
  isConnected: boolean;
  /** The last one that could not be made, and when. */
  failure: { readonly at: number; readonly told: Promise<Told> } | undefined;
}

/**
 * Talks with the remote program on hosts through the system's own OpenSSH: the user's configuration, keys, agent and known hosts; nothing
 * is asked. One connection a host, kept for a minute, and one program there for each identity, which stays for what is asked next;
 * bounded numbers of everything at once, so that a dead host holds up nobody.
 */
export class SshConnections {
  readonly #env: Readonly<Record<string, string>>;
  readonly #limits: SshLimits;
  readonly #askLimits: ConversationLimits;
  readonly #atOnce: Gate;
  readonly #doors = new Map<string, Gate>();
  readonly #hosts = new Map<string, Known>();
  #arrivals = 0;

  constructor(env: Readonly<Record<string, string | undefined>>, limits: SshLimits = SSH_LIMITS) {
    this.#env = sshEnvironment(env);
    this.#limits = limits;
    this.#askLimits = {
      timeoutMs: (limits.connectSeconds + limits.answerSeconds) * 1000,
      maxBytes: MAX_ANSWER_BYTES,
    };
    this.#atOnce = createGate(limits.hostsAtOnce);
  }

  /**
   * One round trip. Gives the answers in the order of the calls, undefined for those that the host did not come to. Throws
   * UNREACHABLE, PERMISSION_DENIED where it may not act as that user, NOT_FOUND for a user who is not there.
   */
  async run(
    context: Context,
    at: SshHost,
    calls: readonly RemoteCall[],
    identity: RemoteIdentity,
  ): Promise<readonly (string | undefined)[]> {
    const arrived = ++this.#arrivals;
    const known = this.#known(context, at);
    const settings = await known.settings;
    const program = this.#program(at);
    const argv = [program, ...(await this.#flags(at, settings))];
    const create = (): RemoteSession =>
      new RemoteSession(identity, this.#askLimits, (command) =>
        converse({ argv: [...argv, command], env: this.#env }),
      );
    const told = await known.sessions.use(identity, create, (session) => {
      const ask = (): Promise<Told> => this.#atOnce.run(() => session.ask(context, calls));
      return session.isOpen ? ask() : this.#throughFirst({ known, settings, arrived, session }, ask);
    });
    return readAnswers(at, told, { identity, count: calls.length });
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
    const { stdout, ...end } = await known.sessions.beside(() =>
      this.#atOnce.run(async () =>
        this.#ssh(context, at, [...(await this.#flags(at, settings)), command], {
          stdin,
          feed,
          timeoutMs: SEND_MS,
        }),
      ),
    );
    return readAnswers(at, { ...parseReport(stdout, nonce), end }, { identity, count: 1 })[0];
  }

  #known(context: Context, at: SshHost): Known {
    const before = this.#hosts.get(at.text);
    if (before !== undefined) return before;
    const known: Known = {
      settings: this.#atOnce.run(() => this.#readSettings(context, at)),
      sessions: new HostSessions(),
      first: undefined,
      isConnected: false,
      failure: undefined,
    };
    this.#hosts.set(at.text, known);
    return known;
  }
  /** The first program on a host makes its connection, alone; the others wait for it and then share it. */
  async #throughFirst(
    host: {
      readonly known: Known;
      readonly settings: SshSettings;
      readonly arrived: number;
      readonly session: RemoteSession;
    },
    ask: () => Promise<Told>,
  ): Promise<Told> {
    const { known, settings, arrived, session } = host;
    while (known.first !== undefined) await known.first.catch(() => undefined);
    // Who waited for a connection that did not come about need not wait for it once more.
    if (known.failure !== undefined && known.failure.at >= arrived) return await known.failure.told;
    if (known.isConnected) {
      const told = await ask();
      known.isConnected = told.end?.exitCode !== SSH_FAILED;
      return told;
    }
    const door = this.#doors.get(settings.door) ?? createGate(HANDSHAKES_PER_DOOR);
    this.#doors.set(settings.door, door);
    const first = door.enter().then(async (leave) => {
      // What comes after is no handshake any more.
      void session.signedIn.then(leave);
      return await ask();
    });
    known.first = first;
    try {
      known.isConnected = (await first).end?.exitCode !== SSH_FAILED;
      return await first;
    } finally {
      if (!known.isConnected) known.failure = { at: this.#arrivals, told: first };
      known.first = undefined;
    }
  }

  async #readSettings(context: Context, at: SshHost): Promise<SshSettings> {
    const { exitCode, stdout, stderr } = await this.#ssh(context, at, ["-G", ...sshDestinationWords(at)], {});
    if (exitCode !== 0) throw sshUnreachable(at, stderr);
    return parseSettings(new TextDecoder().decode(stdout));
  }

  /** OpenSSH's client; throws NOT_FOUND. */
  #program(at: SshHost): string {
    const program = findProgram("ssh", this.#env["PATH"]);
    if (program === undefined)
      throw new AppError("NOT_FOUND", `${at.text}: there is no program ssh here`, {
        hint: "install OpenSSH's client",
      });
    return program;
  }

  async #flags(at: SshHost, settings: SshSettings): Promise<readonly string[]> {
    const options = [
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
    return sshArguments(at, options);
  }

  async #ssh(
    context: Context,
    at: SshHost,
    args: readonly string[],
    given: Partial<Pick<ProgramRun, "stdin" | "feed" | "timeoutMs">>,
  ): Promise<ProgramResult> {
    return await runProgram(context, {
      argv: [this.#program(at), ...args],
      env: this.#env,
      ...this.#askLimits,
      ...given,
    });
  }
}

function readAnswers(
  at: SshHost,
  { stage, answers, end }: Told,
  asked: { readonly identity: RemoteIdentity; readonly count: number },
): readonly (string | undefined)[] {
  const who = asked.identity.user ?? "root";
  switch (stage) {
    case "none":
      throw sshUnreachable(at, end?.stderr ?? "");
    case "stranger":
      throw new AppError("NOT_FOUND", `${at.text}: there is no user ${who} on that host`);
    case "powerless":
      throw new AppError("PERMISSION_DENIED", `${at.text}: only root can deliver into the home of ${who}`, {
        hint: "sign in there as root or as that person, or add sudo: true to the delivery",
      });
    case "login":
      throw new AppError(
        "PERMISSION_DENIED",
        `${at.text}: it could not act as ${who} there: ${lastLine(end?.stderr ?? "")}`,
        { hint: `it must work without a password: ssh ${at.host} sudo -n -u ${who} true` },
      );
    case "begin":
    case "end":
      return Array.from({ length: asked.count }, (_, index) => answers[index]);
  }
}
