import type { Fault, RuleFamily } from "./contract.ts";

/** Configurations of OpenSVC services. */
export const opensvcFiles: RuleFamily = {
  kinds: ["opensvc", "shell", "document"],
  find(part) {
    // A page's blocks are looked at by themselves.
    if (part.kind === "document") return [];
    return part.text.split("\n").flatMap((line, index): readonly Fault[] => {
      const found = /^\s*registry_creds(?:@\S+)?\s*=\s*(\S+)/.exec(line);
      if (found === null) return [];
      return [
        {
          code: "WD070",
          line: part.line + index,
          message: `registry_creds = ${found[1]}: version 2 reads it; version 3 takes the keyword and pulls with root's own login`,
          right: "the sec object for version 2, and root's own config.json on each node for version 3",
        },
      ];
    });
  },
};
