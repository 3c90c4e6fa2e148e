import { resolve } from "node:path";
import { AppError } from "#core";
import type { Command, Invocation } from "../command.ts";
import { surroundingsOf } from "../delivery-surroundings.ts";

export const vaultRecipients: Command = {
  path: ["vault", "recipients"],
  doing: "changing who can open the vault",
  summary: "show who can open the vault, and add or remove a key",
  description:
    "A colleague's key begins with age1; it is printed by this command on their machine. Give their writer key too, so that what they seal is believed here. Taking a key away does not take back what its owner has seen: replace the secrets.",
  examples: [
    { command: "wharf vault recipients", says: "yours, and everybody's" },
    {
      command: "wharf vault recipients add age1KEY --writer WRITER",
      says: "a colleague may read and write it",
    },
    { command: "wharf vault recipients remove age1KEY", says: "may not open what is sealed from now on" },
  ],
  args: [
    { name: "action", summary: "add or remove; nothing: show", required: false },
    { name: "recipient", summary: "a key that begins with age1", required: false },
  ],
  options: [{ flag: "--writer <key>", summary: "the colleague's writer key" }],
  async run(invocation) {
    const { args, options, terminal, context } = invocation;
    const {
      changeRecipients,
      createSecretReader,
      ensureVaultKey,
      isRecipient,
      readConfigIfAny,
      readVaultKey,
    } = await import("#logins");
    const surroundings = surroundingsOf(invocation);
    const config = await readConfigIfAny(surroundings, invocation.configFile);
    const { action, recipient } = args;
    if (action !== undefined) {
      if (action !== "add" && action !== "remove")
        throw new AppError("USAGE", `${JSON.stringify(action)} is neither add nor remove`);
      if (typeof recipient !== "string" || !isRecipient(recipient))
        throw new AppError("USAGE", "a recipient is a key that begins with age1", {
          hint: "your colleague sees theirs with `wharf vault recipients`",
        });
      const path = config?.path ?? (await configPath(invocation));
      const writer = options["writer"];
      await changeRecipients(context, surroundings, path, {
        [action]: recipient,
        ...(typeof writer === "string" ? { writer } : {}),
      });
    }
    const own = (await readVaultKey(surroundings)) ?? (await ensureVaultKey(surroundings)).key;
    const vault =
      config === undefined ? undefined : await createSecretReader(context, surroundings, config).vault();
    const recipients = vault?.recipients ?? [];
    if (invocation.json)
      terminal.out(
        `${JSON.stringify({ own: { recipient: own.recipient, writer: own.writer }, recipients, writers: vault?.writers ?? [] })}\n`,
      );
    else {
      terminal.out(`your key:    ${own.recipient}\nyour writer: ${own.writer}\n`);
      if (vault !== undefined && recipients.length === 0)
        terminal.out("the vault is sealed with a passphrase\n");
      for (const one of recipients)
        terminal.out(`can open it: ${one}${one === own.recipient ? " (you)" : ""}\n`);
    }
    return 0;
  },
};

export const vaultRekey: Command = {
  path: ["vault", "rekey"],
  doing: "sealing the vault anew",
  summary: "seal the vault with a new key, or with a passphrase",
  description:
    "The old key is put aside beside the new one: older copies of the vault, and other vaults, may need it. Where a key leaked, replace the secrets too. A passphrase cannot serve helper, watch or cron, where nobody can be asked.",
  examples: [
    { command: "wharf vault rekey", says: "a new key" },
    {
      command: "wharf vault rekey --passphrase",
      says: "asks for it, or takes it from the file that WHARF_PASSPHRASE_FILE names",
    },
  ],
  options: [{ flag: "--passphrase", summary: "seal with a passphrase in place of keys" }],
  async run(invocation) {
    const { options, terminal, context } = invocation;
    const { rekeyVault } = await import("#logins");
    const to = options["passphrase"] === true ? "passphrase" : "key";
    const done = await rekeyVault(context, surroundingsOf(invocation), await configPath(invocation), to);
    if (invocation.json)
      terminal.out(`${JSON.stringify({ kind: done.kind, oldKeyFile: done.oldKeyFile ?? null })}\n`);
    else {
      terminal.out(`the vault is sealed with a ${done.kind === "key" ? "new key" : "passphrase"}\n`);
      if (done.oldKeyFile !== undefined) terminal.err(`the old key is kept as ${done.oldKeyFile}\n`);
    }
    return 0;
  },
};

export const vaultBackupKey: Command = {
  path: ["vault", "backup-key"],
  doing: "backing up the vault's key",
  summary: "write a copy of the vault's key to a file",
  description:
    "Without the key no secret of the vault can be had back. Keep the copy where the vault is not.",
  examples: [{ command: "wharf vault backup-key /media/usb/wharf.key", says: "mode 0600; never overwrites" }],
  args: [{ name: "file", summary: "where to; must not be there yet" }],
  async run(invocation) {
    const { args, terminal } = invocation;
    const { readVaultKey, renderKeyFile, vaultKeyPath } = await import("#logins");
    const { createFileDurable } = await import("#system");
    const surroundings = surroundingsOf(invocation);
    const key = await readVaultKey(surroundings);
    if (key === undefined)
      throw new AppError("NOT_FOUND", `there is no key yet at ${vaultKeyPath(surroundings)}`, {
        hint: "it is made with the first `wharf login`",
      });
    const path = resolve(invocation.cwd, String(args["file"]));
    if (!(await createFileDurable(path, renderKeyFile(key))))
      throw new AppError("ALREADY_EXISTS", `${path} is there already`, { hint: "name a new file" });
    terminal.out(
      invocation.json
        ? `${JSON.stringify({ file: path })}\n`
        : `wrote ${path}; WHARF_KEY_FILE=${path} opens the vault with it\n`,
    );
    return 0;
  },
};

async function configPath(invocation: Invocation): Promise<string> {
  const { readConfig } = await import("#logins");
  return (await readConfig(surroundingsOf(invocation), invocation.configFile)).path;
}
