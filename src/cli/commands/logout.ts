import { AppError } from "#core";
import type { Command } from "../command.ts";
import { surroundingsOf } from "../delivery-surroundings.ts";

export const logout: Command = {
  path: ["logout"],
  doing: "removing the login",
  summary: "take a login out of wharf.yaml and its secret out of the vault",
  description:
    "Copies that were delivered stay until the next `wharf apply` prunes them; `wharf revoke` removes them at once.",
  examples: [{ command: "wharf logout ngc", says: "then wharf apply takes it from every target" }],
  args: [{ name: "name", summary: "the login's name in wharf.yaml" }],
  async run(invocation) {
    const { args, terminal, context } = invocation;
    const { deleteLogin, readConfig } = await import("#logins");
    const surroundings = surroundingsOf(invocation);
    const name = String(args["name"]);
    const config = await readConfig(surroundings, invocation.configFile, { mayCollide: true });
    const { removed, configPath } = await deleteLogin(context, surroundings, config.path, name);
    if (!removed)
      throw new AppError(
        "LOGIN_UNKNOWN",
        `there is no login ${JSON.stringify(name.slice(0, 60))} in ${config.path}`,
        {
          hint:
            config.logins.size === 0
              ? "there is none at all"
              : `the logins are ${[...config.logins.keys()].join(", ")}`,
        },
      );
    if (invocation.json) terminal.out(`${JSON.stringify({ login: name, config: configPath })}\n`);
    else {
      terminal.out(`removed login ${name}\n`);
      terminal.err(`next: ${invocation.typedAs} apply, which takes its copies away\n`);
    }
    return 0;
  },
};
