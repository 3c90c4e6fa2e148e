import { type Abilities, consumers } from "#consumers";
import { realPrograms } from "../../test/support/real-programs.ts";
import { imageProofRows } from "./image-proof-rows.ts";
import { code, GENERATED, renderMarkdownTable } from "./markdown.ts";
import { proofRows } from "./proof-rows.ts";

const SCOPES: Readonly<Record<Abilities["scope"], string>> = {
  registry: "a registry",
  path: "a path of a registry",
  repository: "a repository",
};

/** docs/proof.md: what each row and consumer was shown against. */
export function renderProof(): string {
  const rows = [...proofRows, ...imageProofRows].map((row) => [
    row.row,
    row.works,
    row.against,
    [...row.tests.map(testLink), ...(row.reports ?? []).map(reportLink)].join(", "),
  ]);
  const programs = realPrograms
    .filter((program) => program.benchOnly !== true)
    .map(({ name, from }) => [
      code(name),
      from.kind === "debian" ? `Debian package ${from.package}, of the machine's release` : from.version,
    ]);
  return `${[
    GENERATED,
    "# Proof",
    "What each thing was shown against: the real program, its own library, or a golden file only. Golden only means that the program itself was never asked.",
    "## Consumers",
    renderMarkdownTable(
      [
        "consumer",
        "what it is",
        "finest login",
        "identity tokens",
        "several logins per host",
        "takes effect",
        "shown against",
      ],
      consumers.map(({ name, summary, abilities }) => [
        `[${name}](consumers/${name}.md)`,
        summary,
        SCOPES[abilities.scope],
        abilities.identityTokens ? "yes" : "no",
        abilities.severalPerHost ? "yes" : "no",
        takesEffect(abilities),
        abilities.proof,
      ]),
    ),
    "## Rows",
    renderMarkdownTable(["row", "what works", "shown against", "tests and reports"], rows),
    "## Real programs",
    "With `CI=true` or `npm test -- --install-tools` these are installed and a missing one is a failure; elsewhere it is a counted skip.",
    renderMarkdownTable(["program", "version"], programs),
  ].join("\n\n")}\n`;
}

function testLink(path: string): string {
  return `[${path.replace(/^.*\//, "")}](../${path})`;
}

function reportLink(path: string): string {
  return `[${path.replace(/^.*\//, "")}](${path})`;
}

function takesEffect({ takesEffect: effect }: Abilities): string {
  if (effect.when === "now") return "now";
  return effect.when === "after" ? `after ${effect.seconds} s` : `when ${effect.of} restarts`;
}
