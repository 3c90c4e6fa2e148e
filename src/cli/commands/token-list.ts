import type { Command } from "../command.ts";
import { registryOption } from "../manage/option-specs.ts";
import { printList, tokenColumns } from "../manage/print.ts";
import { holderOptions, parseHolder } from "../manage/token-holder.ts";

export const tokenList: Command = {
  path: ["token", "list"],
  doing: "listing tokens",
  summary: "list tokens with their state, expiry and last use",
  examples: [
    { command: "wharf token list", says: "yours" },
    { command: "wharf token list --robot team-a/ci", says: "a robot's" },
  ],
  options: [{ flag: "--all", summary: "revoked ones too" }, ...holderOptions, registryOption],
  async run(invocation) {
    const { connect, readAll } = await import("../manage/connect.ts");
    const { client, signIn } = await connect(invocation);
    const holder = parseHolder(invocation, signIn.username);
    const tokens = await readAll((query) => client.listTokens(holder, query));
    const isShown = invocation.options["all"] === true;
    const shown = tokens.filter((token) => isShown || token.state !== "revoked");
    printList(invocation, shown, tokenColumns, "no tokens");
    return 0;
  },
};
