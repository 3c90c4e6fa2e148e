import type { MemberDocument } from "#api/client";
import type { Command } from "../command.ts";
import { registryOption, requiredArg, textOption } from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";

export const memberAdd: Command = {
  path: ["member", "add"],
  doing: "adding the member",
  summary: "add a user to a project, or change the role",
  description:
    "guest: pull. developer: push too, and make robots that pull. maintainer: delete, all robots, members below owner. owner: everything, with who may see the project and its deletion.",
  examples: [{ command: "wharf member add team-a alice --role developer", says: "alice may pull and push" }],
  args: [
    { name: "project", summary: "the project" },
    { name: "user", summary: "the user" },
  ],
  options: [
    {
      flag: "--role <role>",
      summary: "what they may do",
      default: "guest",
      choices: ["guest", "developer", "maintainer", "owner"],
    },
    registryOption,
  ],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const { client } = await connect(invocation);
    const project = requiredArg(invocation, "project");
    const role = (textOption(invocation, "role") ?? "guest") as MemberDocument["role"];
    const member = await client.setMember(project, requiredArg(invocation, "user"), role);
    printDone(invocation, { project, ...member }, `${member.user} is ${member.role} of ${project}`);
    return 0;
  },
};
