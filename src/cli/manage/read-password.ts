import { AppError, Secret } from "#core";
import type { Invocation } from "../command.ts";

const MAX_BYTES = 4096;

/** A password from standard input (its first line) with `--password-stdin`, else asked for without echo. Throws USAGE. */
export async function readPassword({ options, terminal }: Invocation, question: string): Promise<Secret> {
  if (options["passwordStdin"] !== true && !terminal.isInTerminal)
    throw new AppError("USAGE", "there is no terminal to ask for the password at", {
      hint: "pipe it in with --password-stdin",
    });
  const text =
    options["passwordStdin"] === true
      ? new TextDecoder().decode(await terminal.readIn(MAX_BYTES)).replace(/\r?\n[^]*$/, "")
      : await terminal.ask(question, { hidden: true });
  if (text === "") throw new AppError("USAGE", "no password was given");
  return new Secret(text);
}

/** A new password, asked for twice where a person types it. */
export async function readNewPassword(invocation: Invocation, question: string): Promise<Secret> {
  const password = await readPassword(invocation, question);
  if (invocation.options["passwordStdin"] === true) return password;
  const again = await invocation.terminal.ask("the same again: ", { hidden: true });
  if (password.equals(new Secret(again))) return password;
  throw new AppError("USAGE", "the two passwords differ");
}
