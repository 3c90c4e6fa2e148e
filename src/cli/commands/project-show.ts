import type { Command } from "../command.ts";
import { registryOption, requiredArg } from "../manage/option-specs.ts";
import { projectColumns } from "../manage/print.ts";
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
    if (json) {
      terminal.out(`${JSON.stringify({ ...project, repositories })}\n`);
      return 0;
    }
    terminal.out(renderTable(projectColumns, [project], terminal.color));
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
