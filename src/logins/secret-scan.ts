import { AppError } from "#core";

/** What tokens of well-known makers look like. Long enough that no name or address fits by chance. */
const TOKENS: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\bgh[pousr]_[A-Za-z0-9]{20,}/, what: "a GitHub token" },
  { pattern: /\bgithub_pat_[A-Za-z0-9_]{20,}/, what: "a GitHub token" },
  { pattern: /\bgl[a-z]{2,4}-[A-Za-z0-9_-]{20,}/, what: "a GitLab token" },
  { pattern: /\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}/, what: "a Docker Hub token" },
  { pattern: /\bnvapi-[A-Za-z0-9_-]{20,}/, what: "an NGC key" },
  { pattern: /\bwharf_[A-Za-z0-9_-]{24,}/, what: "a Wharfinger token" },
  { pattern: /\bhf_[A-Za-z0-9]{30,}/, what: "a Hugging Face token" },
  { pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, what: "an AWS key" },
  { pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}/, what: "a JSON web token" },
  { pattern: /\bAGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{20,}/i, what: "an age key" },
  { pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/, what: "a private key" },
  { pattern: /\bxox[abposr]-[A-Za-z0-9-]{20,}/, what: "a Slack token" },
];

/**
 * Throws SECRET_IN_CONFIG, with the place but never the text, where something in the file (a comment too) looks like a token.
 * The whole file is searched: it is made to be committed.
 */
export function refuseTokens(file: string, text: string): void {
  for (const { pattern, what } of TOKENS) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const before = text.slice(0, found.index).split("\n");
    const column = (before.at(-1)?.length ?? 0) + 1;
    throw secretInConfig(`${file}:${before.length}:${column}`, `this looks like ${what}`);
  }
}

export function secretInConfig(where: string, why: string): AppError {
  return new AppError("SECRET_IN_CONFIG", `${where}: ${why}, and wharf.yaml must hold no secret`, {
    hint: "take it out, and if the file was ever shared, replace the secret at its registry; then seal it with `wharf login REGISTRY`, or name a source: password: { env: NAME }",
  });
}
