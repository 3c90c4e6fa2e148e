import type { ConversionsDocument } from "#api/client";
import type { Command } from "../command.ts";
import { registryOption, requiredArg } from "../manage/option-specs.ts";
import { projectColumns } from "../manage/print.ts";
import { plainText } from "../plain-text.ts";
import { renderTable } from "../table.ts";

export const projectShow: Command = {
  path: ["project", "show"],
  doing: "reading the project",
  summary: "show a project and its repositories",
  examples: [{ command: "wharf project show team-a", says: "who may see it, what is in it" }],
  args: [{ name: "project", summary: "its name" }],
  options: [registryOption],
  async run(invocation) {
    const { terminal, json } = invocation;
    const { connect, readAll } = await import("../manage/connect.ts");
    const { client } = await connect(invocation);
    const name = requiredArg(invocation, "project");
    const project = await client.readProject(name);
    const repositories = await readAll((query) => client.listRepositories(name, query));
    const conversions = await client.readConversions(name);
    if (json) {
      terminal.out(`${JSON.stringify({ ...project, repositories, conversions })}\n`);
      return 0;
    }
    terminal.out(renderTable(projectColumns, [project], terminal.color));
    const said = renderConversions(conversions);
    if (said !== "") terminal.out(`\n${said}`);
    if (repositories.length === 0) {
      terminal.err("no repositories in it\n");
      return 0;
    }
    const columns = [
      { head: "REPOSITORY", cell: (row: (typeof repositories)[number]) => row.name },
      { head: "TAGS", cell: (row: (typeof repositories)[number]) => String(row.tags) },
      { head: "MANIFESTS", cell: (row: (typeof repositories)[number]) => String(row.manifests) },
    ];
    terminal.out(`\n${renderTable(columns, repositories, terminal.color)}`);
    return 0;
  },
};

/** What is made of its images, in lines; "" where nothing is and nothing will be. */
function renderConversions({ convert, convertOn, results, sizeBytes, jobs }: ConversionsDocument): string {
  if (convert === "off" && results === 0) return "";
  const size = `${(sizeBytes / 1e6).toFixed(1)} MB`;
  const lines = [
    `makes of its images: ${convert === "off" ? "nothing any more" : `${convert}, on ${convertOn}`}; ${results} made, ${size}`,
    ...jobs.map(
      ({ image, state, error }) => `  ${image}: ${state}${error === null ? "" : ` (${error.message})`}`,
    ),
  ];
  return `${lines.map((line) => plainText(line)).join("\n")}\n`;
}
