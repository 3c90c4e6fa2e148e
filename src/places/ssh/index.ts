import { randomBytes } from "node:crypto";
import { AppError, type Context } from "#core";
import type { Place, PlaceCommand, PlaceFacts, PlaceFile, WriteOptions } from "../contract.ts";
import { MAX_OUTPUT_BYTES } from "../limits.ts";
import { PROGRAM_VARIABLES } from "../program-environment.ts";
import { SshConnections, type SshHost, type SshLimits } from "./connections.ts";
import type { RemoteCall, RemoteIdentity } from "./program-text.ts";
import { createRemotePrograms, type FedCall } from "./programs.ts";
import { parseAnswer, type RemoteAnswer } from "./report.ts";

export type { SshHost, SshLimits } from "./connections.ts";

/** Largest file that is read whole, as on this machine. */
const MAX_BYTES = 8 * 1024 * 1024;

export interface SshPlaces {
  /** The place on a host, as whoever signs in there, as root by sudo, or as another user of it. `name` is its text in wharf.yaml. */
  open(host: SshHost, identity: RemoteIdentity): Place;
}

/** Hosts reached by the system's OpenSSH; they share its connections and limits. `env` is the caller's. */
export function createSshPlaces(
  env: Readonly<Record<string, string | undefined>>,
  limits?: SshLimits,
): SshPlaces {
  const connections = new SshConnections(env, limits);
  return { open: (host, identity) => createRemotePlace(connections, host, identity) };
}

interface Waiting {
  readonly call: RemoteCall;
  readonly resolve: (line: string | undefined) => void;
  readonly reject: (cause: unknown) => void;
}

/** What brings the remote program to a host, and its answers back: OpenSSH, or Ansible. */
export interface RemoteCarrier<Host extends { readonly text: string }> {
  /** One round trip: the answers' lines in the order of the calls, undefined for those that the host did not come to. */
  run(
    context: Context,
    host: Host,
    calls: readonly RemoteCall[],
    identity: RemoteIdentity,
  ): Promise<readonly (string | undefined)[]>;
  /** One call whose input is streamed; not there where nothing large can be carried. */
  send?(context: Context, host: Host, call: FedCall, identity: RemoteIdentity): Promise<string | undefined>;
}

/** A place kept by the remote program. What is asked for at once travels in one round trip. */
export function createRemotePlace<Host extends { readonly text: string }>(
  connections: RemoteCarrier<Host>,
  host: Host,
  identity: RemoteIdentity,
): Place {
  let waiting: Waiting[] = [];

  async function send(context: Context): Promise<void> {
    const batch = waiting;
    waiting = [];
    try {
      const lines = await connections.run(
        context,
        host,
        batch.map(({ call }) => call),
        identity,
      );
      for (const [index, { resolve }] of batch.entries()) resolve(lines[index]);
    } catch (cause) {
      for (const { reject } of batch) reject(cause);
    }
  }

  async function ask(context: Context, call: RemoteCall, doing: string): Promise<RemoteAnswer> {
    const line = await new Promise<string | undefined>((resolve, reject) => {
      waiting.push({ call, resolve, reject });
      if (waiting.length === 1) queueMicrotask(() => void send(context));
    });
    return answerIn(line, doing);
  }

  function answerIn(line: string | undefined, doing: string): RemoteAnswer {
    if (line === undefined)
      throw new AppError("UNREACHABLE", `${doing} on ${host.text}: the connection ended before the answer`, {
        hint: "nothing is half-written; try again",
      });
    return parseAnswer(line, `${doing} on ${host.text}`);
  }

  const carry = connections.send?.bind(connections);
  const programs =
    carry === undefined
      ? undefined
      : createRemotePrograms(ask, async (context, call, doing) =>
          answerIn(await carry(context, host, call, identity), doing),
        );

  return {
    ...(programs === undefined ? {} : { programs }),
    name: identity.user === undefined ? host.text : `${host.text} as ${identity.user}`,
    async facts(context): Promise<PlaceFacts> {
      const { bytes } = await ask(context, { words: ["op_facts", PROGRAM_VARIABLES] }, "looking round");
      const [user = "", uid = "", home = "", ...rest] = decode(bytes).split("\n");
      const env: Record<string, string> = {};
      for (const line of rest) {
        const equals = line.indexOf("=");
        if (equals > 0) env[line.slice(0, equals)] = line.slice(equals + 1);
      }
      return { home, user, uid: Number(uid), env };
    },
    async read(context, path): Promise<PlaceFile | undefined> {
      const words = ["op_read", absolute(path), String(MAX_BYTES)];
      const answer = await ask(context, { words }, `reading ${path}`);
      if (answer.kind !== "file") return undefined;
      const [mode = "", uid = "", gid = ""] = answer.words;
      return { bytes: answer.bytes, mode: Number.parseInt(mode, 8), uid: Number(uid), gid: Number(gid) };
    },
    async write(context, path, bytes, options: WriteOptions): Promise<void> {
      const words = [
        "op_write",
        absolute(path),
        options.mode.toString(8),
        options.folderMode.toString(8),
        String(bytes.length),
        randomBytes(6).toString("hex"),
      ];
      await ask(context, { words, input: bytes }, `writing ${path}`);
    },
    async refuseOpen(context, path): Promise<void> {
      await ask(context, { words: ["op_closed", absolute(path)] }, `writing ${path}`);
    },
    async remove(context, path): Promise<void> {
      await ask(context, { words: ["op_remove", absolute(path)] }, `removing ${path}`);
    },
    async list(context, path): Promise<readonly string[]> {
      const { bytes } = await ask(context, { words: ["op_list", absolute(path)] }, `listing ${path}`);
      return decode(bytes)
        .split("\n")
        .filter((name) => name !== "")
        .sort();
    },
    async version(context, program): Promise<string | undefined> {
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(program)) return undefined;
      const { bytes } = await ask(context, { words: ["op_version", program] }, `asking ${program}`);
      return /\d+\.\d+(?:\.\d+)?(?:[-+~][0-9A-Za-z.+~-]+)?/.exec(decode(bytes))?.[0];
    },
    async run(context, { argv, stdin = new Uint8Array(), timeoutSeconds }: PlaceCommand) {
      const doing = `running ${argv[0]}`;
      const words = [
        "op_run",
        String(stdin.length),
        String(MAX_OUTPUT_BYTES),
        String(timeoutSeconds),
        ...argv,
      ];
      const { kind, words: printed, bytes } = await ask(context, { words, input: stdin }, doing);
      if (kind === "none") return undefined;
      const output = Buffer.from(printed[0] ?? "", "base64");
      const end = output.lastIndexOf("\n");
      const exitCode = /^\d{1,3}$/.test(decode(output.subarray(end + 1)))
        ? Number(decode(output.subarray(end + 1)))
        : -1;
      if (end < 0 || exitCode < 0)
        throw new AppError("PROGRAM_FAILED", `${doing} on ${host.text}: it printed too much`);
      // As timeout says that it ended the program.
      if (exitCode === 124 || exitCode === 137)
        throw new AppError(
          "PROGRAM_FAILED",
          `${doing} on ${host.text}: it took longer than ${timeoutSeconds} seconds`,
        );
      return { exitCode, stdout: output.subarray(0, end), stderr: decode(bytes) };
    },
  };
}

function absolute(path: string): string {
  if (!path.startsWith("/") || path.includes("\0"))
    throw new AppError("INVALID_INPUT", `${path} is not an absolute path`);
  return path;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
