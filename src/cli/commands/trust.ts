import { AppError } from "#core";
import type { Command } from "../command.ts";
import { surroundingsOf } from "../delivery-surroundings.ts";

export const trust: Command = {
  path: ["trust"],
  doing: "trusting",
  summary:
    "let the commands of a wharf.yaml run, and Ansible for it, or believe a colleague's signature on vaults",
  description:
    "Shows the commands and asks. The yes holds for this file at this path with exactly this content: after any edit but wharf's own it is asked for again. With --writer, vaults signed by that key count as written by somebody you trust.",
  examples: [
    { command: "wharf trust", says: "the commands of the wharf.yaml found here" },
    {
      command: "wharf trust --writer KEY",
      says: "KEY as the colleague's `wharf vault recipients` prints it",
    },
  ],
  options: [
    { flag: "--writer <key>", summary: "trust this writer of vaults" },
    { flag: "--yes", summary: "do not ask" },
  ],
  async run(invocation) {
    const { options, terminal, context } = invocation;
    const { changeTrust, isVaultPasswordSource, readConfig, trustCommands } = await import("#logins");
    const surroundings = surroundingsOf(invocation);
    const writer = options["writer"];
    if (typeof writer === "string") {
      if (Buffer.from(writer, "base64").length !== 32)
        throw new AppError("USAGE", "that is not a writer's key", {
          hint: "take it from `wharf vault recipients`",
        });
      await changeTrust(context, surroundings, (store) =>
        store.writers.includes(writer) ? store : { ...store, writers: [...store.writers, writer] },
      );
      terminal.out(
        invocation.json ? `${JSON.stringify({ writer })}\n` : `vaults signed by ${writer} are trusted\n`,
      );
      return 0;
    }
    const config = await readConfig(surroundings, invocation.configFile);
    const commands = [...config.logins.values()].flatMap(({ name, source, renew }) => [
      ...(source.kind === "command" || source.kind === "exchange"
        ? [{ login: name, argv: source.argv }]
        : []),
      ...(renew === undefined ? [] : [{ login: name, argv: renew }]),
    ]);
    // What its configuration, inventory and plug-ins name, Ansible runs.
    const inventories = config.deliveries.flatMap(({ at }) =>
      at.kind === "ansible" || (at.kind === "hosts" && at.source.program === "ansible") ? [at.text] : [],
    );
    const vaults = config.deliveries.flatMap(({ to, options: { "vault-password": source } }) =>
      isVaultPasswordSource(source) && source.kind === "command" ? [{ login: to, argv: source.argv }] : [],
    );
    for (const { name, source } of config.logins.values())
      if (source.kind === "ansible-vault" && source.password?.kind === "command")
        vaults.push({ login: name, argv: source.password.argv });
    commands.push(
      ...vaults,
      ...[...new Set(inventories)].map((place) => ({ login: place, argv: ["ansible-playbook"] })),
    );
    if (!invocation.json)
      terminal.err(
        commands.length === 0
          ? `${config.path} runs no command\n`
          : `${config.path} runs:\n${commands.map(({ login, argv }) => `  ${login}: ${JSON.stringify(argv)}\n`).join("")}`,
      );
    if (commands.length > 0 && options["yes"] !== true && !(await terminal.confirm("let them run?"))) {
      terminal.err("nothing was trusted\n");
      return 1;
    }
    await trustCommands(context, surroundings, config);
    if (invocation.json) terminal.out(`${JSON.stringify({ config: config.path, commands })}\n`);
    else if (commands.length > 0) terminal.out(`trusted ${config.path}\n`);
    return 0;
  },
};
