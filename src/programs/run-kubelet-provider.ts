import { version } from "#core";
import type { ProgramFacts } from "./contract.ts";
import { renderHelperError } from "./credential-helper.ts";
import { answerKubelet } from "./kubelet-provider.ts";
import { openProgram } from "./open-program.ts";

/** `wharf-kubelet-provider` as a process: one request in, one answer out; a failure's words go to standard error, which the kubelet logs. */
export async function runKubeletProvider(facts: ProgramFacts): Promise<number> {
  const { terminal, call } = openProgram("wharf-kubelet-provider", facts);
  const [asked] = facts.args;
  if (asked === "--version") {
    terminal.out(`wharf-kubelet-provider (wharfinger) ${version}\n`);
    return 0;
  }
  if (asked !== undefined) {
    terminal.err(
      "wharf-kubelet-provider: takes no arguments: the kubelet gives its request on standard input\n",
    );
    return 1;
  }
  try {
    terminal.out(await answerKubelet(call));
    return 0;
  } catch (cause) {
    terminal.err(`wharf-kubelet-provider: ${renderHelperError(cause)}`);
    return 1;
  }
}
