import type { Command } from "../command.ts";
import { registryOption, requiredArg } from "../manage/option-specs.ts";
import { printList } from "../manage/print.ts";

export const memberList: Command = {
  path: ["member", "list"],
  doing: "listing members",
  summary: "list the members of a project with their roles",
  examples: [{ command: "wharf member list team-a", says: "by name" }],
  args: [{ name: "project", summary: "the project" }],
  options: [registryOption],
  async run(invocation) {
    const { connect, readAll } = await import("../manage/connect.ts");
    const { client } = await connect(invocation);
    const project = requiredArg(invocation, "project");
    const members = await readAll((query) => client.listMembers(project, query));
    printList(
      invocation,
      members,
      [
        { head: "USER", cell: (member) => member.user, style: () => "bold" },
        { head: "ROLE", cell: (member) => member.role },
      ],
      `${project} has no members`,
    );
    return 0;
  },
};
