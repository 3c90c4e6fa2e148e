import type { Command } from "../command.ts";
import { registryOption } from "../manage/option-specs.ts";
import { printOne, userColumns } from "../manage/print.ts";

export const userShow: Command = {
  path: ["user", "show"],
  doing: "reading the user",
  summary: "show a user: yourself, or as an admin anybody",
  examples: [{ command: "wharf user show", says: "who you are signed in as" }],
  args: [{ name: "user", summary: "the name (if not said: yourself)", required: false }],
  options: [registryOption],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const { client, signIn } = await connect(invocation);
    const name = invocation.args["user"];
    const user = await client.readUser(typeof name === "string" ? name : signIn.username);
    printOne(invocation, user, userColumns);
    return 0;
  },
};
