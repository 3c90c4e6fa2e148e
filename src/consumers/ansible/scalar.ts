import { isTemplate } from "#ansible";

/** A text as a YAML value that Ansible takes to the letter: always in quotes, `!unsafe` where Jinja would run it. */
export function renderScalar(text: string): string {
  const quoted = isPlain(text) ? `'${text.replaceAll("'", "''")}'` : renderEscaped(text);
  return isTemplate(text) ? `!unsafe ${quoted}` : quoted;
}

/** A text of Ansible Vault as a value, on one line or as a block under a key that is indented so far. */
export function renderVaultValue(envelope: string, indent: string | undefined): string {
  const lines = envelope.trimEnd().split("\n");
  if (indent === undefined) return `!vault ${JSON.stringify(lines.join("\n"))}`;
  return ["!vault |", ...lines.map((line) => `${indent}  ${line}`)].join("\n");
}

/** Letters and signs that are on one line and that no reader of YAML refuses. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e\p{L}\p{N}]*$/u.test(text);
}

/** In double quotes, all that is not plain by its number: PyYAML refuses control characters and breaks lines at U+2028. */
function renderEscaped(text: string): string {
  const escaped = Array.from(text, (character) => {
    if (character === '"' || character === "\\") return `\\${character}`;
    if (isPlain(character)) return character;
    const point = character.codePointAt(0) ?? 0;
    return point > 0xffff
      ? `\\U${point.toString(16).padStart(8, "0")}`
      : `\\u${point.toString(16).padStart(4, "0")}`;
  });
  return `"${escaped.join("")}"`;
}
