import type { Command } from "../command.ts";
import { registryOption, requiredArg } from "../manage/option-specs.ts";
import { printOne, tokenColumns } from "../manage/print.ts";
import { holderOptions, parseHolder } from "../manage/token-holder.ts";
import { parseTokenId } from "../manage/token-id.ts";

export const tokenShow: Command = {
  path: ["token", "show"],
  doing: "reading the token",
  summary: "show a token: its state, expiry and last use",
  examples: [{ command: "wharf token show 12", says: "one of yours, by the id in the list" }],
  args: [{ name: "id", summary: "its id in the list" }],
  options: [...holderOptions, registryOption],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const { client, signIn } = await connect(invocation);
    const holder = parseHolder(invocation, signIn.username);
    printOne(
      invocation,
      await client.readToken(holder, parseTokenId(requiredArg(invocation, "id"))),
      tokenColumns,
    );
    return 0;
  },
};
