import type { Command } from "../command.ts";
import { registryOption, requiredArg } from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";
import { holderOptions, parseHolder } from "../manage/token-holder.ts";
import { parseTokenId } from "../manage/token-id.ts";

export const tokenDelete: Command = {
  path: ["token", "delete"],
  doing: "revoking the token",
  summary: "revoke a token: it is refused from the next request on",
  examples: [
    { command: "wharf token delete 12", says: "one of yours, by the id in the list" },
    { command: "wharf token delete 13 --robot team-a/ci", says: "a robot's, after its next one is in place" },
  ],
  args: [{ name: "id", summary: "its id in the list" }],
  options: [...holderOptions, registryOption],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const id = parseTokenId(requiredArg(invocation, "id"));
    const { client, signIn } = await connect(invocation);
    await client.revokeToken(parseHolder(invocation, signIn.username), id);
    printDone(invocation, { revoked: id }, `token ${id} is revoked`);
    return 0;
  },
};
