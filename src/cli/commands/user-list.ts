import type { Command } from "../command.ts";
import { registryOption } from "../manage/option-specs.ts";
import { printList, userColumns } from "../manage/print.ts";

export const userList: Command = {
  path: ["user", "list"],
  doing: "listing users",
  summary: "list the users of a registry (admins)",
  examples: [{ command: "wharf user list", says: "by name" }],
  options: [registryOption],
  async run(invocation) {
    const { connect, readAll } = await import("../manage/connect.ts");
    const { client } = await connect(invocation);
    const users = await readAll((query) => client.listUsers(query));
    printList(invocation, users, userColumns, "no users");
    return 0;
  },
};
