import type { Command } from "../command.ts";
import { daysOption, parseDays, registryOption, requiredArg } from "../manage/option-specs.ts";
import { printSecret } from "../manage/print.ts";
import { holderOptions, parseHolder } from "../manage/token-holder.ts";

export const tokenCreate: Command = {
  path: ["token", "create"],
  doing: "making the token",
  summary: "make a token of yours or of a robot, and show its secret once",
  description:
    "A token is used in place of a password, with the account's own username. Several are in force at once: make the new one, put it in place, then delete the old one. Yours expires after 90 days unless said, a robot's after 365. A sign-in makes no token that outlives it.",
  examples: [
    { command: "wharf token create laptop --expires-in-days 30", says: "of yours" },
    {
      command: "wharf token create 2027 --robot team-a/ci > secret",
      says: "a robot's next one, into a file",
    },
  ],
  args: [{ name: "name", summary: "what it is for; no two of an account in force are alike" }],
  options: [daysOption, ...holderOptions, registryOption],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const { client, signIn } = await connect(invocation);
    const holder = parseHolder(invocation, signIn.username);
    const token = await client.createToken(holder, {
      name: requiredArg(invocation, "name"),
      ...parseDays(invocation),
    });
    printSecret(invocation, token, `made token ${token.id} ${token.name}`);
    return 0;
  },
};
