import type { Command } from "../command.ts";
import { descriptionOption, registryOption, requiredArg, textOption } from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";

export const projectCreate: Command = {
  path: ["project", "create"],
  doing: "making the project",
  summary: "make a project, whose owner you are",
  examples: [
    { command: "wharf project create team-a", says: "private: members and its robots alone" },
    { command: "wharf project create base --public", says: "everybody may pull" },
  ],
  args: [{ name: "project", summary: "its name: the first part of its repositories' names" }],
  options: [
    { flag: "--public", summary: "let everybody pull, without a login" },
    descriptionOption,
    registryOption,
  ],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const { client, signIn } = await connect(invocation);
    const description = textOption(invocation, "description");
    const project = await client.createProject({
      name: requiredArg(invocation, "project"),
      visibility: invocation.options["public"] === true ? "public" : "private",
      ...(description === undefined ? {} : { description }),
    });
    const host = new URL(signIn.url).host;
    printDone(
      invocation,
      project,
      `made the ${project.visibility} project ${project.name}; push to ${host}/${project.name}/IMAGE`,
    );
    return 0;
  },
};
