import type { Command } from "../command.ts";
import { descriptionOption, registryOption, requiredArg } from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";

export const userCreate: Command = {
  path: ["user", "create"],
  doing: "making the user",
  summary: "make a user (admins)",
  description:
    "The password is asked for, or read from standard input; with --no-password the user has tokens alone, made by an admin with wharf token create.",
  examples: [
    { command: "wharf user create alice", says: "asks for her first password" },
    { command: "wharf user create carol --no-password", says: "to be let in by tokens" },
  ],
  args: [{ name: "user", summary: "the name: lower-case letters, digits, '.', '_' and '-'" }],
  options: [
    { flag: "--password-stdin", summary: "read the password from standard input" },
    { flag: "--no-password", summary: "no password: tokens alone" },
    { flag: "--admin", summary: "an admin of the whole registry" },
    descriptionOption,
    registryOption,
  ],
  async run(invocation) {
    const { options } = invocation;
    const { connect } = await import("../manage/connect.ts");
    const { readNewPassword } = await import("../manage/read-password.ts");
    const { textOption } = await import("../manage/option-specs.ts");
    const { client } = await connect(invocation);
    const name = requiredArg(invocation, "user");
    const password =
      options["password"] === false ? undefined : await readNewPassword(invocation, `password for ${name}: `);
    const description = textOption(invocation, "description");
    const user = await client.createUser({
      name,
      admin: options["admin"] === true,
      // Sent over TLS or loopback to where it is hashed; nothing here keeps it.
      ...(password === undefined ? {} : { password: password.reveal() }),
      ...(description === undefined ? {} : { description }),
    });
    printDone(invocation, user, `made the ${user.admin ? "admin" : "user"} ${user.name}`);
    return 0;
  },
};
