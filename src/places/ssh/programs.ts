import { randomBytes } from "node:crypto";
import type { Context } from "#core";
import type { ProgramPlace } from "../contract.ts";
import { programFileWords } from "./program-file.ts";
import type { RemoteCall } from "./program-text.ts";
import type { RemoteAnswer } from "./report.ts";

/** A call whose input is too large to keep. */
export interface FedCall {
  readonly words: readonly string[];
  readonly feed: () => AsyncIterable<Uint8Array>;
}

/** The executable on a host that the remote program keeps. */
export function createRemotePrograms(
  ask: (context: Context, call: RemoteCall, doing: string) => Promise<RemoteAnswer>,
  send: (context: Context, call: FedCall, doing: string) => Promise<RemoteAnswer>,
): ProgramPlace {
  return {
    async requireFit(context, { machine, loader }) {
      await ask(context, { words: programFileWords("op_fits", machine, loader ?? "") }, "putting wharf");
    },
    async digest(context, path) {
      const answer = await ask(context, { words: programFileWords("op_digest", path) }, `reading ${path}`);
      return answer.kind === "none" ? undefined : new TextDecoder().decode(answer.bytes).trim();
    },
    async install(context, path, program) {
      const packed = await program.packed();
      const words = programFileWords(
        "op_install",
        path,
        String(packed.sizeBytes),
        program.sha256,
        randomBytes(6).toString("hex"),
      );
      await send(context, { words, feed: () => packed.read() }, `writing ${path}`);
    },
  };
}

/**
 * What a program is given for one fed call: `before`, then the fed bytes, then `after`. They stand where the call's input would, which only
 * who renders a round trip knows: a mark that nobody else can have shows where.
 */
export function renderFed(
  { words, feed }: FedCall,
  render: (call: RemoteCall) => { readonly command: string; readonly stdin: Uint8Array },
): { readonly command: string; readonly stdin: Uint8Array; readonly feed: () => AsyncIterable<Uint8Array> } {
  const mark = randomBytes(32);
  const { command, stdin } = render({ words, input: mark });
  const at = Buffer.from(stdin).indexOf(mark);
  return {
    command,
    stdin: stdin.subarray(0, at),
    feed: async function* () {
      yield* feed();
      const after = stdin.subarray(at + mark.length);
      if (after.length > 0) yield after;
    },
  };
}
