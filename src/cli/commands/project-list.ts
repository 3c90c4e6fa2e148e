import type { Command } from "../command.ts";
import { registryOption } from "../manage/option-specs.ts";
import { printList, projectColumns } from "../manage/print.ts";

export const projectList: Command = {
  path: ["project", "list"],
  doing: "listing projects",
  summary: "list the projects that you may see",
  examples: [{ command: "wharf project list", says: "by name, with your role" }],
  options: [registryOption],
  async run(invocation) {
    const { connect, readAll } = await import("../manage/connect.ts");
    const { client } = await connect(invocation);
    const projects = await readAll((query) => client.listProjects(query));
    printList(invocation, projects, projectColumns, "no projects; make one with wharf project create");
    return 0;
  },
};
