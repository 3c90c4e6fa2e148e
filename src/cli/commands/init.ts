import type { Command } from "../command.ts";
import { surroundingsOf } from "../delivery-surroundings.ts";
import { proposeAndWrite } from "../propose-deliveries.ts";

export const init: Command = {
  path: ["init"],
  doing: "looking round this machine",
  summary: "find the programs here that pull images, and propose deliveries to them",
  description: "Makes wharf.yaml where there is none. Deliveries that are there already stay as they are.",
  examples: [{ command: "wharf init", says: "shows the proposal and asks before it writes" }],
  options: [{ flag: "--yes", summary: "do not ask" }],
  async run(invocation) {
    const { terminal, options, configFile } = invocation;
    const { findConfig, readConfig, readConfigIfAny } = await import("#logins");
    const surroundings = surroundingsOf(invocation);
    const location = await findConfig(surroundings, configFile, true);
    const before = location.exists ? await readConfigIfAny(surroundings, configFile) : undefined;
    const report = async (written: boolean): Promise<number> => {
      const config = location.exists || written ? await readConfig(surroundings, configFile) : undefined;
      const deliver = config?.deliveries.map(({ to, at }) => ({ to, at: at.text })) ?? [];
      if (invocation.json) terminal.out(`${JSON.stringify({ config: location.path, written, deliver })}\n`);
      else if (written) terminal.out(`wrote ${location.path}\n`);
      return 0;
    };
    if (before !== undefined && before.deliveries.length > 0) {
      terminal.err(
        `${location.path} has deliveries already; see them with ${invocation.typedAs} plan --all\n`,
      );
      return await report(false);
    }
    return await report(await proposeAndWrite(invocation, location.path, options["yes"] === true));
  },
};
