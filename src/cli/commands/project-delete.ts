import type { Command } from "../command.ts";
import { confirmLoss, registryOption, requiredArg, yesOption } from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";

export const projectDelete: Command = {
  path: ["project", "delete"],
  doing: "deleting the project",
  summary: "delete a project with its members and robots",
  examples: [
    { command: "wharf project delete team-a", says: "refused while it holds images" },
    { command: "wharf project delete team-a --with-repositories --yes", says: "with all its images" },
  ],
  args: [{ name: "project", summary: "its name" }],
  options: [{ flag: "--with-repositories", summary: "delete its images too" }, yesOption, registryOption],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const { client, signIn } = await connect(invocation);
    const name = requiredArg(invocation, "project");
    const withRepositories = invocation.options["withRepositories"] === true;
    const what = withRepositories
      ? " with all its images, members and robots"
      : " with its members and robots";
    await confirmLoss(invocation, `delete the project ${name} at ${signIn.url}${what}?`);
    await client.deleteProject(name, { withRepositories });
    printDone(invocation, { deleted: name }, `deleted the project ${name}`);
    return 0;
  },
};
