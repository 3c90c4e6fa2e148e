/** What tokens of well-known makers look like. Long enough that no name or address fits by chance. */
const TOKENS: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\bgh[pousr]_[A-Za-z0-9]{20,}/, what: "a GitHub token" },
  { pattern: /\bgithub_pat_[A-Za-z0-9_]{20,}/, what: "a GitHub token" },
  { pattern: /\bgl[a-z]{2,4}-[A-Za-z0-9_-]{20,}/, what: "a GitLab token" },
  { pattern: /\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}/, what: "a Docker Hub token" },
  { pattern: /\bnvapi-[A-Za-z0-9_-]{20,}/, what: "an NGC key" },
  // Not a metric's name: in 24 random characters and more there is a digit or a capital.
  { pattern: /\bwharf_(?=[a-z_-]*[A-Z0-9])[A-Za-z0-9_-]{24,}/, what: "a Wharfinger token" },
  { pattern: /\bhf_[A-Za-z0-9]{30,}/, what: "a Hugging Face token" },
  { pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, what: "an AWS key" },
  { pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}/, what: "a JSON web token" },
  { pattern: /\bAGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{20,}/i, what: "an age key" },
  { pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/, what: "a private key" },
  { pattern: /\bxox[abposr]-[A-Za-z0-9-]{20,}/, what: "a Slack token" },
];

/** Where in a text something looks like a token of a known maker, and whose; undefined where nothing does. Never the token. */
export function findToken(text: string): { readonly index: number; readonly what: string } | undefined {
  for (const { pattern, what } of TOKENS) {
    const found = pattern.exec(text);
    if (found !== null) return { index: found.index, what };
  }
  return undefined;
}
