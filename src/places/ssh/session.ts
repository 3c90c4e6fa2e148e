import { randomBytes } from "node:crypto";
import type { Context } from "#core";
import type { Conversation, ConversationEnd, ConversationLimits } from "#system";
import { type RemoteCall, type RemoteIdentity, renderCalls, renderProgram } from "./program-text.ts";
import { parseMore, parseReport, type RemoteReport } from "./report.ts";

/** What a host said to some calls. */
export interface Told extends RemoteReport {
  /** How it ended, where the program there has not begun. */
  readonly end: ConversationEnd | undefined;
}

/** The remote program on one host, as one identity, which stays for what is asked next. It starts when it is first asked something. */
export class RemoteSession {
  readonly #identity: RemoteIdentity;
  readonly #start: (command: string) => Conversation;
  readonly #limits: ConversationLimits;
  readonly #nonce = `wharf-${randomBytes(12).toString("hex")}`;
  readonly #gone = Promise.withResolvers<void>();
  readonly #signedIn = Promise.withResolvers<void>();
  #talk: Conversation | undefined;
  #isClosed = false;

  /** `start` runs a command on the host. */
  constructor(
    identity: RemoteIdentity,
    limits: ConversationLimits,
    start: (command: string) => Conversation,
  ) {
    this.#identity = identity;
    this.#limits = limits;
    this.#start = start;
  }

  /** It has been asked something, and more can be asked. */
  get isOpen(): boolean {
    return this.#talk?.isOver === false;
  }

  /** Nothing more can be asked. */
  get isOver(): boolean {
    return this.#isClosed || this.#talk?.isOver === true;
  }

  /** Resolves when the host has let it in: it prints something; or when it is gone. */
  get signedIn(): Promise<void> {
    return this.#signedIn.promise;
  }

  /** Resolves when nothing of it runs any more, and nothing will. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** One round trip, one at a time. Throws as `Conversation.ask` does. */
  async ask(context: Context, calls: readonly RemoteCall[]): Promise<Told> {
    const words = renderCalls(calls, this.#nonce);
    if (this.#talk !== undefined) {
      const output = await this.#talk.ask(context, words, `${this.#nonce} end`, this.#limits);
      return { ...parseMore(output, this.#nonce), end: undefined };
    }
    const { command, opening } = renderProgram(this.#identity, this.#nonce);
    const talk = this.#start(command);
    this.#talk = talk;
    void talk.ended.finally(() => this.#gone.resolve());
    void talk.begun.then(() => this.#signedIn.resolve());
    // Sent at once: a first question costs no round trip of its own.
    const all = Buffer.concat([opening, words]);
    const report = parseReport(await talk.ask(context, all, `${this.#nonce} end`, this.#limits), this.#nonce);
    const hasBegun = report.stage === "begin" || report.stage === "end";
    return { ...report, end: hasBegun ? undefined : await talk.ended };
  }

  close(): void {
    this.#isClosed = true;
    if (this.#talk !== undefined) {
      this.#talk.close();
      return;
    }
    this.#signedIn.resolve();
    this.#gone.resolve();
  }
}
