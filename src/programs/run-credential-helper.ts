import { createLogger, createTerminal, systemClock } from "#system";
import type { ProgramFacts } from "./contract.ts";
import {
  answerCredentialHelper,
  type HelperAction,
  helperActions,
  renderHelperError,
} from "./credential-helper.ts";

const USAGE = "Usage: docker-credential-wharf <store|get|erase|list|version>\n";

/** `docker-credential-wharf ACTION` as a process: errors go to standard output with exit code 1, as the protocol has it. */
export async function runCredentialHelper(facts: ProgramFacts): Promise<number> {
  const { env, cwd } = facts;
  const stop = new AbortController();
  facts.onStop(() => stop.abort(new DOMException("stopped by a signal", "AbortError")));
  const terminal = createTerminal(env, stop.signal);
  const asked = facts.args.length === 1 ? facts.args[0] : undefined;
  if (asked === "--help" || asked === "-h") {
    terminal.out(USAGE);
    return 0;
  }
  const action = asked === "--version" || asked === "-v" ? "version" : asked;
  if (!isAction(action)) {
    terminal.out(action === undefined ? USAGE : `docker-credential-wharf: unknown action: ${action}\n`);
    return 1;
  }
  const write = (text: string): void => terminal.err(text);
  const log = createLogger({ level: "warn", format: "human", clock: systemClock, write });
  try {
    const answer = await answerCredentialHelper(
      {
        context: { signal: stop.signal, log },
        surroundings: { env, cwd },
        readInput: (maxBytes) => terminal.readIn(maxBytes),
        note: (text) => terminal.err(`docker-credential-wharf: ${text}\n`),
      },
      action,
    );
    terminal.out(answer);
    return 0;
  } catch (cause) {
    terminal.out(renderHelperError(cause));
    return 1;
  }
}

function isAction(text: string | undefined): text is HelperAction {
  return helperActions.some((action) => action === text);
}
