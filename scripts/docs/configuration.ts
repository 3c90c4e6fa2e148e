import { type ServeOption, serveOptions } from "#server/options";
import { deliveryWords, environmentWords, loginWords, sourceWords, topWords } from "./configuration-words.ts";
import { code, GENERATED, renderMarkdownTable } from "./markdown.ts";

/** docs/reference/configuration.md: the files that people write, and the environment. */
export function renderConfiguration(): string {
  const keys = (words: Readonly<Record<string, string>>): string =>
    renderMarkdownTable(
      ["key", "what it is"],
      Object.entries(words).map(([key, says]) => [code(key), says]),
    );
  return `${[
    GENERATED,
    "# Configuration",
    "## wharf.yaml",
    "Safe to commit: there is no secret in it, and one that is written there is refused. It is found by `-c FILE`, then `WHARF_CONFIG`, then in the current folder (where folder and file belong to the caller), then in the user's configuration folder. A key that is not known is an error that names file, line and the nearest key.",
    keys(topWords),
    "### A login",
    keys(loginWords),
    "### A source of a secret",
    "`password: { KIND: … }`:",
    keys(sourceWords),
    "### A delivery",
    keys(deliveryWords),
    "Beside it lie `wharf.vault` (the secrets, encrypted; safe to commit) and `wharf.state` (what was delivered where; no secret in it).",
    "## The server",
    "`wharf serve --config FILE` reads YAML whose keys are the options of `wharf serve`; what is said on the command line wins.",
    renderMarkdownTable(
      ["key", "what it is", "where nothing is said"],
      serveOptions.map((option) => [
        code(option.name),
        renderServeOption(option),
        option.value === undefined ? "false" : (option.default ?? "–"),
      ]),
    ),
    "## Environment",
    renderMarkdownTable(
      ["variable", "what it does"],
      Object.entries(environmentWords).map(([name, says]) => [code(name), says]),
    ),
  ].join("\n\n")}\n`;
}

function renderServeOption(option: ServeOption): string {
  const facts = [
    ...(option.choices === undefined ? [] : [`one of ${option.choices.join(", ")}`]),
    ...(option.repeatable === true ? ["a list"] : []),
    ...(option.value === undefined ? ["true or false"] : []),
  ];
  return facts.length === 0 ? option.summary : `${option.summary} (${facts.join("; ")})`;
}
