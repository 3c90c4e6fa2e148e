import { AppError } from "#core";

/** The id of a token as the list shows it. Throws USAGE. */
export function parseTokenId(text: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new AppError("USAGE", `${JSON.stringify(text)} is not the id of a token`, {
    hint: "see the ids with wharf token list",
  });
}
