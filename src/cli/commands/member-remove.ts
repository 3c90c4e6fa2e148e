import type { Command } from "../command.ts";
import { registryOption, requiredArg } from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";

export const memberRemove: Command = {
  path: ["member", "remove"],
  doing: "removing the member",
  summary: "take a user out of a project, from their next request on",
  examples: [{ command: "wharf member remove team-a alice", says: "the project's robots stay" }],
  args: [
    { name: "project", summary: "the project" },
    { name: "user", summary: "the user" },
  ],
  options: [registryOption],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const { client } = await connect(invocation);
    const project = requiredArg(invocation, "project");
    const user = requiredArg(invocation, "user");
    await client.removeMember(project, user);
    printDone(invocation, { project, removed: user }, `${user} is no member of ${project} any more`);
    return 0;
  },
};
