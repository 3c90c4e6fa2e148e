import type { Command } from "../command.ts";
import { registryOption } from "../manage/option-specs.ts";
import { printList, robotColumns } from "../manage/print.ts";

export const robotList: Command = {
  path: ["robot", "list"],
  doing: "listing robots",
  summary: "list the robots of a project, or of the site",
  examples: [
    { command: "wharf robot list team-a", says: "of a project (developers)" },
    { command: "wharf robot list", says: "of the site (admins)" },
  ],
  args: [{ name: "project", summary: "the project (if not said: the site)", required: false }],
  options: [registryOption],
  async run(invocation) {
    const { connect, readAll } = await import("../manage/connect.ts");
    const { client } = await connect(invocation);
    const said = invocation.args["project"];
    const project = typeof said === "string" ? said : undefined;
    const robots = await readAll((query) => client.listRobots(project, query));
    printList(invocation, robots, robotColumns, "no robots");
    return 0;
  },
};
