import { randomBytes } from "node:crypto";
import { AppError, type Context, type ErrorCode } from "#core";
import { converse, findProgram, sshArguments, sshEnvironment, sshUnreachable } from "#system";
import type { Sink } from "../contract.ts";
import { renderRemoteWriter } from "./remote-writer.ts";
import type { SshTarget } from "./ssh-target.ts";

export interface SshSinkOptions {
  /** The caller's environment: what OpenSSH needs of it is handed on. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the file, whatever the umask there. */
  readonly mode: number;
  /** What is there is replaced. */
  readonly isForced: boolean;
}

/** For a piece of some megabytes, over the slowest line. */
const WRITE_MS = 10 * 60_000;
/** Gigabytes are brought to the disk there. */
const FINISH_MS = 60 * 60_000;
const MAX_ANSWER_BYTES = 16 * 1024;

/**
 * A sink into a file on another host, through the system's own OpenSSH as the user has configured it: nothing of it is kept here. Written under a
 * name beside the target; whatever ends it early, also this process or the connection, nothing is left there. Throws UNREACHABLE, NOT_FOUND for
 * no such folder or no ssh here, ALREADY_EXISTS, PERMISSION_DENIED, STORAGE_FULL, STORAGE_FAILED, UNSUPPORTED where dd there is neither GNU's nor busybox's.
 */
export async function createSshSink(
  context: Context,
  target: SshTarget,
  { env, mode, isForced }: SshSinkOptions,
): Promise<Sink> {
  const program = findProgram("ssh", env["PATH"]);
  if (program === undefined)
    throw new AppError("NOT_FOUND", `${target.text}: there is no program ssh here`, {
      hint: "install OpenSSH's client",
    });
  const nonce = randomBytes(8).toString("hex");
  const writer = Buffer.from(renderRemoteWriter({ path: target.path, nonce, isForced }));
  // One line, and nothing but single quotes: any shell of a person's reads it. The program itself comes over standard input.
  const command = `exec /bin/sh -c 'eval "$(dd bs=1 count=${writer.length} 2>/dev/null)"'`;
  const argv = [program, ...sshArguments(target, ["ConnectTimeout=30"]), command];
  const talk = converse({ argv, env: sshEnvironment(env) });
  let hasAnswered = false;
  const ask = async (
    words: Uint8Array,
    state: "ready" | "next" | "done",
    timeoutMs: number,
  ): Promise<void> => {
    const last = `${nonce} ${state}`;
    const answer = await talk.ask(context, words, last, { timeoutMs, maxBytes: MAX_ANSWER_BYTES });
    const text = new TextDecoder().decode(answer);
    hasAnswered ||= text.includes(nonce);
    if (text.endsWith(`${last}\n`)) return;
    throw await failure(text);
  };
  const failure = async (answer: string): Promise<AppError> => {
    const [, code = "", why = ""] = /^fail ([A-Z_]+) (.*)$/m.exec(answer) ?? [];
    const known = FAILURES.find((candidate) => candidate === code);
    if (known !== undefined)
      return new AppError(known, `${target.text}${shownPath(target)}: ${why}`, hintOf(known));
    const { stderr } = await talk.ended;
    if (!hasAnswered) return sshUnreachable(target, stderr);
    return new AppError("UNREACHABLE", `${target.text}: the connection ended while the image was written`, {
      hint: "nothing was left there; try again",
    });
  };
  const end = async (): Promise<void> => {
    talk.close();
    await talk.ended;
  };
  try {
    await ask(writer, "ready", WRITE_MS);
  } catch (cause) {
    await end();
    throw cause;
  }
  return {
    async write(offset, bytes) {
      if (bytes.length === 0) return;
      const frame = Buffer.concat([Buffer.from(`write ${offset} ${bytes.length}\n`), bytes]);
      await ask(frame, "next", WRITE_MS);
    },
    async finish(sizeBytes) {
      await ask(Buffer.from(`finish ${sizeBytes} ${mode.toString(8)}\n`), "done", FINISH_MS);
      await end();
    },
    abort: end,
  };
}

const FAILURES = [
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "STORAGE_FULL",
  "STORAGE_FAILED",
  "UNSUPPORTED",
] as const satisfies readonly ErrorCode[];

function hintOf(code: (typeof FAILURES)[number]): { readonly hint?: string } {
  switch (code) {
    case "NOT_FOUND":
      return { hint: "make the folder there first" };
    case "ALREADY_EXISTS":
      return { hint: "name another file, or replace it with --force" };
    case "STORAGE_FULL":
      return { hint: "make room on that host's disk or raise the quota, then try again" };
    case "UNSUPPORTED":
      return { hint: "install GNU coreutils or busybox there" };
    case "PERMISSION_DENIED":
    case "STORAGE_FAILED":
      return {};
  }
}

function shownPath({ path }: SshTarget): string {
  return path.startsWith("~/") ? `/${path}` : path;
}
