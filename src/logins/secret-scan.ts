import { AppError, findToken } from "#core";

/**
 * Throws SECRET_IN_CONFIG, with the place but never the text, where something in the file (a comment too) looks like a token.
 * The whole file is searched: it is made to be committed.
 */
export function refuseTokens(file: string, text: string): void {
  const found = findToken(text);
  if (found === undefined) return;
  const before = text.slice(0, found.index).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  throw secretInConfig(`${file}:${before.length}:${column}`, `this looks like ${found.what}`);
}

export function secretInConfig(where: string, why: string): AppError {
  return new AppError("SECRET_IN_CONFIG", `${where}: ${why}, and wharf.yaml must hold no secret`, {
    hint: "take it out, and if the file was ever shared, replace the secret at its registry; then seal it with `wharf login REGISTRY`, or name a source: password: { env: NAME }",
  });
}
