/**
 * Texts of the rooms name commands as `wharf apply`; from a checkout `bin/wharf apply` is what can be typed. `paths` are the words of every
 * command. Prose about wharf stays as it is, and so does what is given as it is typed already.
 */
export function asTyped(text: string, typedAs: string, paths: readonly string[]): string {
  if (typedAs === "wharf") return text;
  const words = [...new Set(paths.map((path) => path.split(" ")[0] ?? ""))].map((word) =>
    RegExp.escape(word),
  );
  // Behind a letter or a slash it is another name, or a path.
  const command = new RegExp(`(?<![\\w/.-])wharf (?=(?:${words.join("|")})(?![\\w-]))`, "g");
  return text.replaceAll(command, () => `${typedAs} `);
}
