import type { Command } from "../command.ts";
import { registryOption } from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";

export const userPassword: Command = {
  path: ["user", "password"],
  doing: "changing the password",
  summary: "change your password, or as an admin anybody's",
  description:
    "Your own changes with the current one. The old password is refused from the next request on, Bearer tokens made from it too; tokens stay.",
  examples: [
    { command: "wharf user password", says: "asks for the current and the new one" },
    { command: "wharf user password alice", says: "an admin gives alice a new one" },
  ],
  args: [{ name: "user", summary: "the name (if not said: yourself)", required: false }],
  options: [
    {
      flag: "--password-stdin",
      summary: "read from standard input: the new password, for your own the current one on a line before it",
    },
    registryOption,
  ],
  async run(invocation) {
    const { terminal, options } = invocation;
    const { connect } = await import("../manage/connect.ts");
    const { readNewPassword, readPassword } = await import("../manage/read-password.ts");
    const { client, signIn } = await connect(invocation);
    const said = invocation.args["user"];
    const name = typeof said === "string" ? said : signIn.username;
    const isOwn = name === signIn.username;
    // Standard input is read once: two lines, one for each question.
    const lines =
      options["passwordStdin"] === true
        ? new TextDecoder().decode(await terminal.readIn(4096)).split(/\r?\n/)
        : undefined;
    const line = (): typeof invocation =>
      lines === undefined
        ? invocation
        : { ...invocation, terminal: { ...terminal, readIn: async () => Buffer.from(lines.shift() ?? "") } };
    const current = isOwn ? await readPassword(line(), "current password: ") : undefined;
    const fresh = await readNewPassword(line(), `new password for ${name}: `);
    await client.changePassword(name, {
      newPassword: fresh.reveal(),
      ...(current === undefined ? {} : { currentPassword: current.reveal() }),
    });
    printDone(invocation, { changed: name }, `the password of ${name} is changed`);
    return 0;
  },
};
