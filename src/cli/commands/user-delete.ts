import type { Command } from "../command.ts";
import { confirmLoss, registryOption, requiredArg, yesOption } from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";

export const userDelete: Command = {
  path: ["user", "delete"],
  doing: "deleting the user",
  summary: "delete a user with tokens and memberships (admins)",
  examples: [{ command: "wharf user delete alice", says: "projects and robots stay" }],
  args: [{ name: "user", summary: "the name" }],
  options: [yesOption, registryOption],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const { client, signIn } = await connect(invocation);
    const name = requiredArg(invocation, "user");
    await confirmLoss(invocation, `delete the user ${name} at ${signIn.url}?`);
    await client.deleteUser(name);
    printDone(invocation, { deleted: name }, `deleted the user ${name}`);
    return 0;
  },
};
