import { createGate, type Gate } from "./gate.ts";
import type { RemoteIdentity } from "./program-text.ts";
import type { RemoteSession } from "./session.ts";

/** sshd's MaxSessions is 10 by default: more channels than that on one connection are refused. */
const CHANNELS_PER_CONNECTION = 8;
/** How long a program stays for what is asked next: planning and writing follow each other at once. */
const IDLE_MS = 1_000;

/** One identity: what is asked as it goes one after the other through one session. */
interface Line {
  readonly turn: Gate;
  session: RemoteSession | undefined;
  idle: ReturnType<typeof setTimeout> | undefined;
}

/** The sessions of one host, one for each identity: as many as a connection carries, and who waits takes the place of one with nothing to do. */
export class HostSessions {
  readonly #channels = createGate(CHANNELS_PER_CONNECTION);
  readonly #lines = new Map<string, Line>();

  /** `work` with the session of that identity, made by `create` where there is none. */
  async use<T>(
    identity: RemoteIdentity,
    create: () => RemoteSession,
    work: (session: RemoteSession) => Promise<T>,
  ): Promise<T> {
    const line = this.#line(identity);
    return await line.turn.run(async () => {
      clearTimeout(line.idle);
      line.idle = undefined;
      let { session } = line;
      if (session === undefined || session.isOver) {
        session = await this.#add(create);
        line.session = session;
      }
      try {
        return await work(session);
      } finally {
        this.#rest(line, session);
      }
    });
  }

  #line({ user, sudo }: RemoteIdentity): Line {
    const key = JSON.stringify([user, sudo]);
    const line = this.#lines.get(key) ?? { turn: createGate(1), session: undefined, idle: undefined };
    this.#lines.set(key, line);
    return line;
  }

  /** Runs something that takes a channel of the connection for itself. */
  async beside<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.#enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }

  async #add(create: () => RemoteSession): Promise<RemoteSession> {
    const leave = await this.#enter();
    const session = create();
    void session.gone.then(leave);
    return session;
  }

  async #enter(): Promise<() => void> {
    const open = [...this.#lines.values()].filter(({ session }) => session?.isOver === false);
    if (open.length >= CHANNELS_PER_CONNECTION) open.find(({ idle }) => idle !== undefined)?.session?.close();
    return await this.#channels.enter();
  }

  #rest(line: Line, session: RemoteSession): void {
    if (!session.isOpen || this.#channels.waiting > 0) {
      session.close();
      return;
    }
    line.idle = setTimeout(() => session.close(), IDLE_MS);
    // Nobody's end has to wait for it.
    line.idle.unref();
  }
}
