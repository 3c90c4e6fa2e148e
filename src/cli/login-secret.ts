import { AppError, type Secret } from "#core";
import type { Invocation } from "./command.ts";

const MAX_SECRET_BYTES = 64 * 1024;

/** The secret that `--password-stdin` gives; undefined without that option. Throws SECRET_UNAVAILABLE for an empty one. */
export async function readGivenSecret(
  { options, terminal }: Invocation,
  login: { readonly name: string },
): Promise<Secret | undefined> {
  if (options["passwordStdin"] !== true) return undefined;
  const { checkSecret } = await import("#logins");
  const text = new TextDecoder().decode(await terminal.readIn(MAX_SECRET_BYTES));
  return checkSecret(login, text, "standard input");
}

/** Asks for a login's secret without echo. Throws USAGE where nobody can be asked; `hint` says what to do then. */
export async function askSecret(
  { terminal }: Invocation,
  login: { readonly name: string },
  asked: { readonly what: string; readonly question: string; readonly hint: string },
): Promise<Secret> {
  const { what, question, hint } = asked;
  if (!terminal.isInTerminal)
    throw new AppError("USAGE", `there is no terminal to ask for ${what} at`, { hint });
  const { checkSecret } = await import("#logins");
  return checkSecret(login, await terminal.ask(question, { hidden: true }), "the terminal");
}

/** The day of `--expires`; undefined where nobody said. Throws USAGE. */
export function parseExpires(value: unknown): Date | undefined {
  if (typeof value !== "string") return undefined;
  const date = new Date(value);
  if (!/^\d{4}-\d{2}-\d{2}/.test(value) || Number.isNaN(date.getTime()))
    throw new AppError("USAGE", "--expires wants a date", { hint: "write it as 2027-03-01" });
  return date;
}
