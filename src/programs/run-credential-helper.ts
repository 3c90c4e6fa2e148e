import type { ProgramFacts } from "./contract.ts";
import {
  answerCredentialHelper,
  type HelperAction,
  helperActions,
  renderHelperError,
} from "./credential-helper.ts";
import { openProgram } from "./open-program.ts";

const USAGE = "Usage: docker-credential-wharf <store|get|erase|list|version>\n";

/** `docker-credential-wharf ACTION` as a process: errors go to standard output with exit code 1, as the protocol has it. */
export async function runCredentialHelper(facts: ProgramFacts): Promise<number> {
  const { terminal, call } = openProgram("docker-credential-wharf", facts);
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
  try {
    terminal.out(await answerCredentialHelper(call, action));
    return 0;
  } catch (cause) {
    terminal.out(renderHelperError(cause));
    return 1;
  }
}

function isAction(text: string | undefined): text is HelperAction {
  return helperActions.some((action) => action === text);
}
