import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { AppError, type Context, toAppError } from "#core";
import {
  ensurePrivateFolder,
  type LineClient,
  listenLines,
  type ProgramResult,
  wait,
  withTemporaryFolder,
  writeFileDurable,
} from "#system";
import type { RemoteCarrier } from "../ssh/index.ts";
import { type RemoteCall, type RemoteIdentity, renderRemote } from "../ssh/program-text.ts";
import { parseReport } from "../ssh/report.ts";
import { ACTION_NAME, ACTION_PLUGIN, renderPlaybook } from "./action-plugin.ts";
import { type AnsibleTool, lastWords, runAnsible } from "./tool.ts";

/** One host of an inventory, as Ansible is told of it. */
export interface AnsibleTarget {
  readonly name: string;
  readonly inventory: string | undefined;
  /** `become: true` for the play. */
  readonly become: boolean;
  /** As in messages: `ansible://gpu01`. */
  readonly text: string;
}

/** How long a run waits for others that want to go along: one start of Ansible's costs half a second. */
const GATHER_MS = 30;
/** Ansible's own limits on connecting stand; these are for a run that hangs. */
const RUN_MS = 120_000;
const PER_HOST_MS = 15_000;
/** Answers carry a file of 8 MiB in base64, twice. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
const MAX_PRINTED_BYTES = 64 * 1024 * 1024;

interface Job {
  readonly at: AnsibleTarget;
  readonly command: string;
  readonly stdin: Uint8Array;
  settle(answer: Answer): void;
  fail(cause: AppError): void;
}

/** What the plug-in says of one command. */
interface Answer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly unreachable?: string;
  readonly refused?: string;
}

/**
 * Runs the remote program on hosts of the site's inventory, by the site's own ansible-playbook: its connections, users, jump hosts and ways to
 * become root. Who asks at the same time goes along in one run; one run goes on at a time.
 */
export class AnsibleConnections implements RemoteCarrier<AnsibleTarget> {
  readonly #tool: AnsibleTool;
  #waiting: Job[] = [];
  #isRunning = false;

  constructor(tool: AnsibleTool) {
    this.#tool = tool;
  }

  async run(
    context: Context,
    at: AnsibleTarget,
    calls: readonly RemoteCall[],
    identity: RemoteIdentity,
  ): Promise<readonly (string | undefined)[]> {
    const nonce = `wharf-${randomBytes(12).toString("hex")}`;
    // How to become root is Ansible's to know: see `become`.
    const { command, stdin } = renderRemote(calls, { ...identity, sudo: false }, nonce);
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ at, command, stdin, settle: resolve, fail: reject });
      void this.#start(context);
    });
    return readAnswer(at, answer, { nonce, identity, count: calls.length });
  }

  async #start(context: Context): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#waiting.length > 0) {
        await wait(GATHER_MS, context.signal);
        await this.#runTogether(context, this.#takeGroup());
      }
    } catch (cause) {
      for (const job of this.#waiting.splice(0)) job.fail(toAppError(cause));
    } finally {
      this.#isRunning = false;
    }
  }

  /** All that go to hosts of one inventory in one way. */
  #takeGroup(): readonly Job[] {
    const [first] = this.#waiting;
    const isAlike = ({ at }: Job): boolean =>
      at.inventory === first?.at.inventory && at.become === first?.at.become;
    const group = this.#waiting.filter(isAlike);
    this.#waiting = this.#waiting.filter((job) => !isAlike(job));
    return group;
  }

  /** Who asked hears of it when the run has ended: nothing of it is going on, or lies about, when wharf does. */
  async #runTogether(context: Context, jobs: readonly Job[]): Promise<void> {
    const answers = new Map<Job, Answer>();
    try {
      const result = await withTemporaryFolder("wharf-", (folder) =>
        this.#play(context, folder, { jobs, answers }),
      );
      for (const job of jobs) {
        const answer = answers.get(job);
        if (answer !== undefined) job.settle(answer);
        else
          job.fail(
            new AppError("UNREACHABLE", `${job.at.text}: Ansible did not come to it: ${lastWords(result)}`, {
              hint: `see it by hand: ansible ${job.at.name} -m ping`,
            }),
          );
      }
    } catch (cause) {
      for (const job of jobs) job.fail(toAppError(cause));
    }
  }

  async #play(
    context: Context,
    folder: string,
    work: { readonly jobs: readonly Job[]; readonly answers: Map<Job, Answer> },
  ): Promise<ProgramResult> {
    const [first] = work.jobs;
    const byHost = Map.groupBy(work.jobs, ({ at }) => at.name);
    const socket = join(folder, "s");
    const playbook = join(folder, "play.json");
    await ensurePrivateFolder(join(folder, "action_plugins"));
    await writeFileDurable(join(folder, "action_plugins", `${ACTION_NAME}.py`), ACTION_PLUGIN);
    await writeFileDurable(playbook, renderPlaybook([...byHost.keys()], socket, first?.at.become === true));
    const server = await listenLines(socket, MAX_LINE_BYTES, (client) => serve(client, byHost, work.answers));
    try {
      const inventory = first?.at.inventory;
      return await runAnsible(context, this.#tool, {
        argv: ["ansible-playbook", ...(inventory === undefined ? [] : ["-i", inventory]), playbook],
        timeoutMs: RUN_MS + PER_HOST_MS * work.jobs.length,
        maxBytes: MAX_PRINTED_BYTES,
      });
    } finally {
      await server.close();
    }
  }
}

/** One host's jobs, one after another. */
async function serve(
  client: LineClient,
  byHost: ReadonlyMap<string, readonly Job[]>,
  answers: Map<Job, Answer>,
): Promise<void> {
  const host = parseMessage(await client.read())["host"];
  for (const job of (typeof host === "string" ? byHost.get(host) : undefined) ?? []) {
    client.write(JSON.stringify({ command: job.command, stdin: Buffer.from(job.stdin).toString("base64") }));
    const line = await client.read();
    if (line === undefined) return;
    answers.set(job, parseMessage(line));
  }
  client.write("{}");
}

function parseMessage(line: string | undefined): Readonly<Record<string, unknown>> {
  // Our own plug-in writes it, in the folder that only this user may enter.
  return line === undefined ? {} : (JSON.parse(line) as Record<string, unknown>);
}

function readAnswer(
  at: AnsibleTarget,
  answer: Answer,
  asked: { readonly nonce: string; readonly identity: RemoteIdentity; readonly count: number },
): readonly (string | undefined)[] {
  const hint = `see it by hand: ansible ${at.name}${at.become ? " --become" : ""} -m ping`;
  if (answer.unreachable !== undefined)
    throw new AppError("UNREACHABLE", `${at.text}: ${lastLine(answer.unreachable)}`, { hint });
  if (answer.refused !== undefined)
    throw new AppError("PERMISSION_DENIED", `${at.text}: ${lastLine(answer.refused)}`, { hint });
  const { stage, answers } = parseReport(Buffer.from(answer.stdout ?? "", "base64"), asked.nonce);
  const who = asked.identity.user ?? "root";
  switch (stage) {
    case "begin":
    case "end":
      return Array.from({ length: asked.count }, (_, index) => answers[index]);
    case "stranger":
      throw new AppError("NOT_FOUND", `${at.text}: there is no user ${who} on that host`);
    case "powerless":
      throw new AppError("PERMISSION_DENIED", `${at.text}: only root can deliver into the home of ${who}`, {
        hint: "add sudo: true to the delivery: the play then becomes root as the inventory says",
      });
    case "login":
    case "none":
      throw new AppError("UNREACHABLE", `${at.text}: ${lastLine(answer.stderr ?? "")}`, { hint });
  }
}

function lastLine(text: string): string {
  const line = text.trim().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "Ansible's connection ended without a word" : line.slice(0, 300);
}
