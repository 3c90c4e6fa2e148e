import type { Command } from "../command.ts";

export const credentialHelper: Command = {
  path: ["credential-helper"],
  doing: "answering as a credential helper",
  summary: "answer docker and its kin by the credential helper protocol",
  description:
    "The same as the program docker-credential-wharf, which is a link of that name to wharf, on PATH: docker finds it by `credHelpers` in config.json. It reads one request from standard input. Errors go to standard output, with exit code 1, as that protocol has it. wharf.yaml is that of WHARF_CONFIG or of the user's configuration folder, never the current folder's.",
  examples: [
    {
      command: "echo nvcr.io | wharf credential-helper get",
      says: "prints the login for a registry, with its secret",
    },
    { command: "wharf credential-helper list", says: "prints the registries it answers for" },
  ],
  args: [
    {
      name: "action",
      summary: "what is asked",
      choices: ["get", "list", "store", "erase", "version"],
    },
  ],
  async run(invocation) {
    const { terminal, context, env, cwd, json } = invocation;
    const { answerCredentialHelper, helperActions, renderHelperError } = await import("#programs");
    const action = helperActions.find((known) => known === invocation.args["action"]) ?? "version";
    try {
      const answer = await answerCredentialHelper(
        {
          context,
          surroundings: { env, cwd },
          readInput: (maxBytes) => terminal.readIn(maxBytes),
          note: (text) => terminal.err(`${text}\n`),
        },
        action,
      );
      if (!json || answer.startsWith("{")) terminal.out(answer);
      else terminal.out(`${JSON.stringify(action === "version" ? { version: answer.trim() } : {})}\n`);
      return 0;
    } catch (cause) {
      if (json) throw cause;
      terminal.out(renderHelperError(cause));
      return 1;
    }
  },
};
