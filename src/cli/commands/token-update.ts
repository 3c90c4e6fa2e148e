import type { Command } from "../command.ts";
import { registryOption, requiredArg } from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";
import { holderOptions, parseHolder } from "../manage/token-holder.ts";
import { parseTokenId } from "../manage/token-id.ts";

export const tokenUpdate: Command = {
  path: ["token", "update"],
  doing: "renaming the token",
  summary: "give a token another name; its secret and expiry stay",
  examples: [{ command: "wharf token update 12 --name 'old laptop'", says: "one of yours" }],
  args: [{ name: "id", summary: "its id in the list" }],
  options: [{ flag: "--name <name>", summary: "the new name" }, ...holderOptions, registryOption],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const { checkSomething, textOption } = await import("../manage/option-specs.ts");
    const id = parseTokenId(requiredArg(invocation, "id"));
    const name = textOption(invocation, "name");
    const change = checkSomething(name === undefined ? {} : { name });
    const { client, signIn } = await connect(invocation);
    const token = await client.updateToken(parseHolder(invocation, signIn.username), id, change);
    printDone(invocation, token, `token ${token.id} is called ${token.name}`);
    return 0;
  },
};
