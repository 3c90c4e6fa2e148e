import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { AppError, type Context, toAppError } from "#core";
import { readTextLimited, wait, withTemporaryFolder, writeFileDurable } from "#system";
import { createGate } from "../ssh/gate.ts";
import type { RemoteCarrier } from "../ssh/index.ts";
import { type RemoteCall, type RemoteIdentity, renderRemote } from "../ssh/program-text.ts";
import { parseReport } from "../ssh/report.ts";
import { type NodeOutput, splitByNode } from "./output.ts";
import { runClush } from "./tool.ts";

/** One node, as ClusterShell is told of it. */
export interface ClushTarget {
  readonly name: string;
  /** As in messages: `clush://gpu01`. */
  readonly text: string;
}

/** How long a run waits for others that want to go along: one start of clush costs a fifth of a second. */
const GATHER_MS = 30;
/** Runs at once, of what differs from node to node; each has the site's own fanout. */
const RUNS_AT_ONCE = 8;
/** For what one node is asked; the site's own limit on connecting stands. */
const COMMAND_SECONDS = 120;
/** A run of many nodes at the site's fanout, each with the limit above at worst: for one that hangs. */
const RUN_MS = 3_600_000;
/** What the nodes of one run print together. */
const MAX_PRINTED_BYTES = 512 * 1024 * 1024;
const MAX_CONFIG_BYTES = 64 * 1024;

interface Job {
  readonly at: ClushTarget;
  readonly calls: readonly RemoteCall[];
  readonly identity: RemoteIdentity;
  settle(answers: readonly (string | undefined)[]): void;
  fail(cause: AppError): void;
}

/**
 * Runs the remote program on nodes by the site's own clush: its configuration, fanout and tree of gateways. It gives all nodes of a run the
 * same, so that nodes which are asked or told the very same at the same moment share one; what differs never goes to another node.
 */
export class ClushConnections implements RemoteCarrier<ClushTarget> {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #runs = createGate(RUNS_AT_ONCE);
  #waiting: Job[] = [];
  #isGathering = false;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  async run(
    context: Context,
    at: ClushTarget,
    calls: readonly RemoteCall[],
    identity: RemoteIdentity,
  ): Promise<readonly (string | undefined)[]> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ at, calls, identity, settle: resolve, fail: reject });
      void this.#gather(context);
    });
  }

  async #gather(context: Context): Promise<void> {
    if (this.#isGathering) return;
    this.#isGathering = true;
    try {
      await wait(GATHER_MS, context.signal);
    } catch (cause) {
      for (const job of this.#waiting.splice(0)) job.fail(toAppError(cause));
    } finally {
      this.#isGathering = false;
    }
    const jobs = this.#waiting;
    this.#waiting = [];
    for (const group of groupAlike(jobs)) void this.#runs.run(() => this.#runTogether(context, group));
  }

  async #runTogether(context: Context, jobs: readonly Job[]): Promise<void> {
    const [first] = jobs;
    if (first === undefined) return;
    const nonce = `wharf-${randomBytes(12).toString("hex")}`;
    try {
      await refuseOpenWorker(this.#env);
      const { command, stdin } = renderRemote(first.calls, first.identity, nonce);
      const names = jobs.map(({ at }) => at.name);
      const printed = await withTemporaryFolder("wharf-", async (folder) => {
        const hosts = join(folder, "nodes");
        await writeFileDurable(hosts, `${names.join("\n")}\n`);
        return await runClush(context, this.#env, {
          argv: ["clush", ...FLAGS, `--hostfile=${hosts}`, command],
          stdin,
          timeoutMs: RUN_MS,
          maxBytes: MAX_PRINTED_BYTES,
        });
      });
      const outputs = splitByNode(names, printed);
      for (const job of jobs) {
        try {
          job.settle(readAnswers(job, outputs.get(job.at.name), { nonce, said: printed.stderr }));
        } catch (cause) {
          job.fail(toAppError(cause));
        }
      }
    } catch (cause) {
      for (const job of jobs) job.fail(toAppError(cause));
    }
  }
}

const FLAGS = [
  `--command_timeout=${COMMAND_SECONDS}`,
  "--color=never",
  // First words of ssh's win: somebody's `no` would send secrets to whoever answers. Gateways get them too.
  "--option=ssh_path=ssh -oStrictHostKeyChecking=yes -T -a -x",
  "--option=verbosity=1",
  "--option=command_prefix=",
];

/** Jobs with the very same to do; a node that is asked twice comes into two groups. */
function groupAlike(jobs: readonly Job[]): readonly (readonly Job[])[] {
  const groups = new Map<string, Job[][]>();
  for (const job of jobs) {
    const key = JSON.stringify([job.identity, job.calls.map(keyOf)]);
    const alike = groups.get(key) ?? [];
    const free = alike.find((group) => !group.some(({ at }) => at.name === job.at.name));
    if (free === undefined) alike.push([job]);
    else free.push(job);
    groups.set(key, alike);
  }
  return [...groups.values()].flat();
}

/** The last word of a write is the random part of its temporary file's name: another one serves as well. */
function keyOf({ words, input }: RemoteCall): unknown {
  const same = words[0] === "op_write" ? words.slice(0, -1) : words;
  return [same, input === undefined ? null : Buffer.from(input).toString("base64")];
}

function readAnswers(
  { at, calls, identity }: Job,
  output: NodeOutput | undefined,
  run: { readonly nonce: string; readonly said: string },
): readonly (string | undefined)[] {
  const { stage, answers } = parseReport(output?.stdout ?? new Uint8Array(), run.nonce);
  const who = identity.user ?? "root";
  const words = output?.lastWords ?? "";
  switch (stage) {
    case "begin":
    case "end":
      return calls.map((_, index) => answers[index]);
    case "stranger":
      throw new AppError("NOT_FOUND", `${at.text}: there is no user ${who} on that host`);
    case "powerless":
      throw new AppError("PERMISSION_DENIED", `${at.text}: only root can deliver into the home of ${who}`, {
        hint: "sign in there as root, or add sudo: true to the delivery",
      });
    case "login":
      throw new AppError("PERMISSION_DENIED", `${at.text}: it could not act as ${who} there: ${words}`, {
        hint: `it must work without a password: clush -w ${at.name} sudo -n -u ${who} true`,
      });
    case "none": {
      const why = words === "" ? lastLine(run.said) : words;
      throw new AppError("UNREACHABLE", `${at.text}: ${why === "" ? "clush said nothing of it" : why}`, {
        hint: `see it by hand: clush -w ${at.name} true`,
      });
    }
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim().slice(0, 300) ?? "";
}

/** Throws UNSUPPORTED where defaults.conf has the nodes reached by something else than ssh: rsh carries secrets in clear. */
async function refuseOpenWorker(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const home = env["HOME"] ?? "/root";
  const folders = [
    "/etc/clustershell",
    `${home}/.local/etc/clustershell`,
    ...(env["VIRTUAL_ENV"] === undefined ? [] : [`${env["VIRTUAL_ENV"]}/etc/clustershell`]),
    `${env["XDG_CONFIG_HOME"] ?? `${home}/.config`}/clustershell`,
    ...(env["CLUSTERSHELL_CFGDIR"] === undefined ? [] : [env["CLUSTERSHELL_CFGDIR"]]),
  ];
  let worker = "ssh";
  for (const folder of folders) {
    const text = await readTextLimited(join(folder, "defaults.conf"), MAX_CONFIG_BYTES);
    worker = /^\s*distant_workername\s*[:=]\s*(\S+)/m.exec(text ?? "")?.[1] ?? worker;
  }
  if (worker !== "ssh")
    throw new AppError("UNSUPPORTED", `ClusterShell reaches nodes by ${worker} here, and wharf needs ssh`, {
      hint: "take distant_workername out of ClusterShell's defaults.conf, or deliver over ssh://",
    });
}
