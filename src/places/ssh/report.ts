import { AppError, type ErrorCode, errorTable } from "#core";

/** What the host said: how far it came, and what each call was answered. */
export interface RemoteReport {
  readonly stage: "none" | "login" | "stranger" | "powerless" | "begin" | "end";
  readonly answers: readonly string[];
}

/** Finds the program's own lines in all that came; what start-up files printed before them is passed over. */
export function parseReport(output: Uint8Array, nonce: string): RemoteReport {
  const lines = linesOf(output);
  const login = lines.indexOf(`${nonce} login`);
  if (login === -1) return { stage: "none", answers: [] };
  const begin = lines.indexOf(`${nonce} begin`, login);
  if (begin === -1) {
    for (const stage of ["stranger", "powerless"] as const)
      if (lines.includes(`${nonce} ${stage}`, login)) return { stage, answers: [] };
    return { stage: "login", answers: [] };
  }
  return parseCalls(lines.slice(begin + 1), nonce);
}

/** What a program answered that had begun before. */
export function parseMore(output: Uint8Array, nonce: string): RemoteReport {
  return parseCalls(linesOf(output), nonce);
}

function parseCalls(lines: readonly string[], nonce: string): RemoteReport {
  const answers: string[] = [];
  let from = 0;
  for (const [index, line] of lines.entries()) {
    if (line === `${nonce} end`) return { stage: "end", answers };
    if (line !== `${nonce} next`) continue;
    answers.push(lines.slice(from, index).join("\n"));
    from = index + 1;
  }
  return { stage: "begin", answers };
}

function linesOf(output: Uint8Array): readonly string[] {
  // TextDecoder's latin1 is windows-1252, where not every byte comes back.
  return Buffer.from(output).toString("latin1").split("\n");
}

/** One call's answer: its first word, the words behind it, and what it carries. */
export interface RemoteAnswer {
  readonly kind: string;
  readonly words: readonly string[];
  readonly bytes: Uint8Array;
}

/** Throws the call's own error. `doing` is what was tried, with the host ("writing /x on gpu01"). */
export function parseAnswer(answer: string, doing: string): RemoteAnswer {
  const [line = "", ...more] = answer.split("\n");
  const [kind = "", ...words] = line.split(" ");
  if (kind === "error") throw callError(words[0] ?? "", utf8(words.slice(1).join(" ")), doing);
  if (!["none", "done", "file", "names", "facts", "version", "ran"].includes(kind))
    throw new AppError("PROGRAM_FAILED", `${doing}: the host's answer cannot be read`, {
      hint: "wharf needs the tools of GNU or BusyBox there: sh, dd, stat, base64, readlink, mv",
    });
  if (kind === "facts") return { kind, words, bytes: Buffer.from(more.join("\n"), "latin1") };
  if (["file", "names", "version"].includes(kind))
    return { kind, words, bytes: Buffer.from(more.join(""), "base64") };
  return { kind, words: words.slice(0, -1), bytes: Buffer.from(words.at(-1) ?? "", "base64") };
}

function callError(code: string, why: string, doing: string): AppError {
  if (code === "NFS_REFUSED") {
    const isRoot = why === "0";
    return new AppError(
      "PERMISSION_DENIED",
      `${doing}: it lies on NFS, and the file server refuses ${isRoot ? "root (root_squash)" : "this user"}`,
      {
        hint: isRoot
          ? "deliver it as the person whose home it is: users: { NAME: [LOGIN] }, or on the file server"
          : "with Kerberos the person needs a ticket there: deliver it on the file server, or let each person deliver their own",
      },
    );
  }
  const known: ErrorCode = isErrorCode(code) ? code : "PROGRAM_FAILED";
  const hint = HINTS[known];
  return new AppError(known, `${doing}: ${why}`, hint === undefined ? {} : { hint });
}

const HINTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  UNSAFE_PATH: "replace the link, or the folder that others may write to, by one of the user's own",
  STORAGE_FULL: "make room on that host's disk or raise the quota, then try again",
};

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}

/** The lines were cut as bytes; messages hold names of files. */
function utf8(text: string): string {
  return new TextDecoder().decode(Buffer.from(text, "latin1"));
}
