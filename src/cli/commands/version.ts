import { version } from "#core";
import type { Command } from "../command.ts";

export const versionCommand: Command = {
  path: ["version"],
  summary: "print the version of wharf and of what it runs on",
  examples: [{ command: "wharf version --json", says: "for a bug report" }],
  async run({ terminal, json }) {
    const facts = { version, bun: Bun.version, platform: `${process.platform}-${process.arch}` };
    if (json) terminal.out(`${JSON.stringify(facts)}\n`);
    else terminal.out(`wharf ${facts.version} (bun ${facts.bun}, ${facts.platform})\n`);
    return 0;
  },
};
