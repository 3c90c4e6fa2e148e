import { generateX25519Identity } from "age-encryption";
import { AppError, type Context, Secret } from "#core";
import { createFileDurable, readTextLimited, removeFile, writeFileDurable } from "#system";
import type { Surroundings } from "./contract.ts";
import { readPassphrase, replaceVault } from "./vault.ts";
import {
  createVaultKey,
  ensureVaultKey,
  readVaultKey,
  renderKeyFile,
  type VaultKey,
  vaultKeyPath,
} from "./vault-key.ts";

export interface Rekeyed {
  /** What opens the vault from now on. */
  readonly kind: "key" | "passphrase";
  /** Where the old key was put aside: other vaults may need it. */
  readonly oldKeyFile: string | undefined;
}

/**
 * Seals the vault anew: for a new key in place of the old (other recipients stay), or with a passphrase (no other recipients then). The
 * old key no longer opens this vault; it is put aside, since other vaults may need it. Old copies of the vault still open with it.
 */
export async function rekeyVault(
  context: Context,
  surroundings: Surroundings,
  configPath: string,
  to: "key" | "passphrase",
): Promise<Rekeyed> {
  if (to === "passphrase") return await toPassphrase(context, surroundings, configPath);
  const path = vaultKeyPath(surroundings);
  const old = await readVaultKey(surroundings);
  if (old === undefined) {
    const { key } = await ensureVaultKey(surroundings);
    await sealForKey(context, surroundings, configPath, { key, old: undefined });
    return { kind: "key", oldKeyFile: undefined };
  }
  const key = await createVaultKey(new Secret(await generateX25519Identity()));
  const aside = `${path}.new`;
  // On disk before anything is sealed for it: a crash leaves both keys.
  if (!(await createFileDurable(aside, renderKeyFile(key))))
    throw new AppError("CONFLICT", `an earlier rekey was interrupted: ${aside} is there`, {
      hint: `if the vault opens with ${path}, remove ${aside}; else that file is the key: move it to ${path}`,
    });
  await sealForKey(context, surroundings, configPath, { key, old });
  const oldKeyFile = `${path}.before-${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}`;
  await createFileDurable(oldKeyFile, (await readTextLimited(path, 64 * 1024)) ?? renderKeyFile(old));
  await writeFileDurable(path, renderKeyFile(key), { mode: 0o600 });
  await removeFile(aside);
  return { kind: "key", oldKeyFile };
}

/** Adds or removes a recipient; a writer is a colleague whose signature is to count. Throws INVALID_INPUT for what is no recipient. */
export async function changeRecipients(
  context: Context,
  surroundings: Surroundings,
  configPath: string,
  change: { readonly add?: string; readonly remove?: string; readonly writer?: string },
): Promise<readonly string[]> {
  const { add, remove, writer } = change;
  const done = await replaceVault(context, surroundings, configPath, (content, access) => {
    if (access.kind === "passphrase")
      throw new AppError("UNSUPPORTED", "a vault with a passphrase has no recipients", {
        hint: "seal it for keys first: `wharf vault rekey`",
      });
    if (remove === access.key.recipient)
      throw new AppError("INVALID_INPUT", "that is your own key: you could not open the vault any more");
    if (remove !== undefined && !content.recipients.includes(remove))
      throw new AppError("NOT_FOUND", "that is no recipient of this vault", {
        hint: "see them with `wharf vault recipients`",
      });
    const recipients = content.recipients.filter((one) => one !== remove);
    if (add !== undefined && !recipients.includes(add)) recipients.push(add);
    const writers = [...content.writers];
    if (writer !== undefined && !writers.includes(writer)) writers.push(writer);
    return { content: { ...content, recipients, writers }, access };
  });
  return done.content.recipients;
}

async function sealForKey(
  context: Context,
  surroundings: Surroundings,
  configPath: string,
  keys: { readonly key: VaultKey; readonly old: VaultKey | undefined },
): Promise<void> {
  const { key, old } = keys;
  await replaceVault(context, surroundings, configPath, (content) => ({
    content: {
      ...content,
      recipients: [
        ...content.recipients.filter((one) => one !== old?.recipient && one !== key.recipient),
        key.recipient,
      ],
      writers: [...content.writers.filter((one) => one !== old?.writer && one !== key.writer), key.writer],
    },
    access: { kind: "key", key },
  }));
}

async function toPassphrase(
  context: Context,
  surroundings: Surroundings,
  configPath: string,
): Promise<Rekeyed> {
  const passphrase = await readPassphrase(surroundings, "new passphrase of the vault: ");
  if (passphrase.length < 12)
    throw new AppError("INVALID_INPUT", "the passphrase is too short", {
      hint: "twelve characters at least; five or more random words are better",
    });
  if ((surroundings.env["WHARF_PASSPHRASE_FILE"] ?? "") === "") {
    const again = await readPassphrase(surroundings, "the same again: ");
    if (!again.equals(passphrase)) throw new AppError("INVALID_INPUT", "the two passphrases differ");
  }
  await replaceVault(context, surroundings, configPath, (content) => ({
    content: { ...content, recipients: [], writers: [] },
    access: { kind: "passphrase", passphrase },
  }));
  return { kind: "passphrase", oldKeyFile: undefined };
}
