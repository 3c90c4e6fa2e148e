/**
 * Text of others (a registry's answer, a file's name) as it may stand on a terminal: control characters, escape sequences and
 * direction overrides are shown as `\u{…}` and do nothing. Line breaks stay where `lines` is said.
 */
export function plainText(text: string, lines: "lines" | "line" = "line"): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    lines === "lines" && character === "\n" ? character : `\\u{${character.charCodeAt(0).toString(16)}}`,
  );
}
