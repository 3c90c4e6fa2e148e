import { AppError } from "#core";
import type { Invocation, OptionSpec } from "../command.ts";

/** Options that several commands of the management take. */
export const registryOption: OptionSpec = {
  flag: "--registry <url>",
  summary: "the registry to manage, of those that you are signed in to (if not said: the last one)",
};
export const yesOption: OptionSpec = { flag: "-y, --yes", summary: "do not ask" };
export const daysOption: OptionSpec = {
  flag: "--expires-in-days <days>",
  summary: "days until the token expires, 1 to 3650, or never",
};
export const descriptionOption: OptionSpec = {
  flag: "--description <text>",
  summary: "what it is for, for people",
};
export const enableOptions: readonly OptionSpec[] = [
  { flag: "--disable", summary: "refuse it from its next request on" },
  { flag: "--enable", summary: "let it in again" },
];

/** An argument that the command line was made to have. */
export function requiredArg({ args }: Invocation, name: string): string {
  const value = args[name];
  if (typeof value === "string") return value;
  throw new AppError("USAGE", `${name} is missing`);
}

/** The text of an option; undefined when it was not said. */
export function textOption({ options }: Invocation, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/** What a repeatable option was given; undefined when it was not said. */
export function listOption({ options }: Invocation, name: string): readonly string[] | undefined {
  const value = options[name];
  return Array.isArray(value) && value.length > 0 ? (value as readonly string[]) : undefined;
}

/** Days of `--expires-in-days`: null for never, undefined when nobody said. Throws USAGE. */
export function parseDays(invocation: Invocation): { readonly expiresInDays?: number | null } {
  const text = textOption(invocation, "expiresInDays");
  if (text === undefined) return {};
  if (text === "never") return { expiresInDays: null };
  const days = Number(text);
  if (/^[0-9]{1,4}$/.test(text) && days >= 1 && days <= 3650) return { expiresInDays: days };
  throw new AppError("USAGE", "--expires-in-days takes a number of days from 1 to 3650, or never");
}

/** `--disable` and `--enable` as one; undefined when neither was said. Throws USAGE for both. */
export function parseDisabled({ options }: Invocation): { readonly disabled?: boolean } {
  const disable = options["disable"] === true;
  if (disable && options["enable"] === true)
    throw new AppError("USAGE", "--disable and --enable exclude each other");
  return disable ? { disabled: true } : options["enable"] === true ? { disabled: false } : {};
}

/** Throws USAGE when an update would change nothing. */
export function checkSomething<T extends object>(change: T): T {
  if (Object.keys(change).length > 0) return change;
  throw new AppError("USAGE", "nothing to change was said", { hint: "see the options with --help" });
}

/** Asks before something is lost, unless `--yes`. Throws INTERRUPTED when the answer is no. */
export async function confirmLoss({ options, terminal }: Invocation, question: string): Promise<void> {
  if (options["yes"] === true) return;
  if (!terminal.isInTerminal)
    throw new AppError("USAGE", `${question} There is no terminal to ask at`, { hint: "say --yes" });
  if (!(await terminal.confirm(question))) throw new AppError("INTERRUPTED", "left as it was");
}
