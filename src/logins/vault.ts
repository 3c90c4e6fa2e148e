import { randomBytes, randomUUID } from "node:crypto";
import { dirname, resolve } from "node:path";
import { AppError, type Context, Secret } from "#core";
import { ensurePrivateFolder, isThere, readTextLimited, withFileLock, writeFileDurable } from "#system";
import type { Surroundings } from "./contract.ts";
import { besideConfig } from "./find-config.ts";
import { changeTrust, readTrust } from "./trust-store.ts";
import {
  MAX_VAULT_BYTES,
  parseVault,
  renderVault,
  type VaultAccess,
  type VaultContent,
  vaultKind,
} from "./vault-file.ts";
import { ensureVaultKey, readVaultKey, vaultKeyPath } from "./vault-key.ts";

/** The vault of a configuration, open; undefined when there is no vault yet. Throws VAULT_KEY_WRONG, VAULT_TAMPERED. */
export async function openVault(
  context: Context,
  surroundings: Surroundings,
  configPath: string,
): Promise<VaultContent | undefined> {
  const text = await readVaultText(besideConfig(configPath, "vault"));
  if (text === undefined) return undefined;
  return await openText(context, surroundings, text, await accessFor(surroundings, vaultKind(text)));
}

/** What a change of a vault gives back. */
export interface VaultChange {
  readonly content: VaultContent;
  /** The key file, where this was the first use and it was made. */
  readonly madeKeyFile: string | undefined;
}

/**
 * Changes the vault under its lock, atomically; makes vault and key at first use. Nothing is written where `change` gives the same
 * object back. A passphrase vault is made where WHARF_PASSPHRASE_FILE is set.
 */
export async function changeVault(
  context: Context,
  surroundings: Surroundings,
  configPath: string,
  change: (content: VaultContent) => VaultContent,
): Promise<VaultChange> {
  return await replaceVault(context, surroundings, configPath, (content, access) => ({
    content: change(content),
    access,
  }));
}

/** As `changeVault`, and may seal with another access (a new key, a passphrase) than the one that opened it. */
export async function replaceVault(
  context: Context,
  surroundings: Surroundings,
  configPath: string,
  change: (content: VaultContent, access: VaultAccess) => { content: VaultContent; access: VaultAccess },
): Promise<VaultChange> {
  const path = besideConfig(configPath, "vault");
  if (!(await isThere(dirname(path)))) await ensurePrivateFolder(dirname(path));
  return await withFileLock(context, `${path}.lock`, async () => {
    const text = await readVaultText(path);
    const opened =
      text === undefined ? await newVault(surroundings) : await openExisting(context, surroundings, text);
    const next = change(opened.content, opened.access);
    if (next.content !== opened.content || next.access !== opened.access || text === undefined) {
      await writeFileDurable(path, await renderVault(next.content, next.access), { mode: 0o600 });
      await rememberWriters(context, surroundings, next.content);
    }
    return { content: next.content, madeKeyFile: opened.madeKeyFile };
  });
}

/** How a vault of this kind is opened here; throws VAULT_KEY_WRONG where there is no key, or no way to ask for the passphrase. */
export async function accessFor(surroundings: Surroundings, kind: VaultAccess["kind"]): Promise<VaultAccess> {
  if (kind === "passphrase")
    return { kind, passphrase: await readPassphrase(surroundings, "passphrase of the vault: ") };
  const key = await readVaultKey(surroundings);
  if (key !== undefined) return { kind, key };
  throw new AppError("VAULT_KEY_WRONG", `there is a vault, but no key at ${vaultKeyPath(surroundings)}`, {
    hint: "restore the key from its backup (`wharf vault backup-key` made it), or name it in WHARF_KEY_FILE",
  });
}

/** From WHARF_PASSPHRASE_FILE (one trailing newline is not part of it), else asked for. Never from the environment itself. */
export async function readPassphrase(surroundings: Surroundings, question: string): Promise<Secret> {
  const file = surroundings.env["WHARF_PASSPHRASE_FILE"];
  if (file !== undefined && file !== "") {
    const text = await readTextLimited(resolve(surroundings.cwd, file), 64 * 1024);
    if (text === undefined)
      throw new AppError("VAULT_KEY_WRONG", `WHARF_PASSPHRASE_FILE names ${file}, which is not there`);
    const passphrase = text.replace(/\r?\n$/, "");
    if (passphrase === "") throw new AppError("VAULT_KEY_WRONG", `the passphrase in ${file} is empty`);
    return new Secret(passphrase);
  }
  if (surroundings.askPassphrase === undefined)
    throw new AppError(
      "VAULT_KEY_WRONG",
      "the vault is sealed with a passphrase, and nobody can be asked for it",
      {
        hint: "put it into a 0600 file and name that in WHARF_PASSPHRASE_FILE; helper, watch and cron need a key instead: `wharf vault rekey`",
      },
    );
  return await surroundings.askPassphrase(question);
}

interface Opened {
  readonly content: VaultContent;
  readonly access: VaultAccess;
  readonly madeKeyFile: string | undefined;
}

async function openExisting(context: Context, surroundings: Surroundings, text: string): Promise<Opened> {
  const access = await accessFor(surroundings, vaultKind(text));
  return { content: await openText(context, surroundings, text, access), access, madeKeyFile: undefined };
}

async function openText(
  context: Context,
  surroundings: Surroundings,
  text: string,
  access: VaultAccess,
): Promise<VaultContent> {
  const trust = await readTrust(surroundings);
  const own = access.kind === "key" ? access.key.writer : undefined;
  const content = await parseVault(
    text,
    access,
    (writer, { id }) =>
      writer === own || trust.writers.includes(writer) || trust.vaults[id]?.includes(writer) === true,
  );
  await rememberWriters(context, surroundings, content);
  return content;
}

/** A trusted writer's list is trusted: colleagues who were added may write the next version. */
async function rememberWriters(
  context: Context,
  surroundings: Surroundings,
  content: VaultContent,
): Promise<void> {
  const known = (await readTrust(surroundings)).vaults[content.id];
  if (content.writers.length < 2 && known === undefined) return;
  if (JSON.stringify(known) === JSON.stringify(content.writers)) return;
  await changeTrust(context, surroundings, (store) => ({
    ...store,
    vaults: { ...store.vaults, [content.id]: content.writers },
  }));
}

async function newVault(surroundings: Surroundings): Promise<Opened> {
  const shared = {
    id: randomUUID(),
    markKey: new Secret(randomBytes(32).toString("hex")),
    secrets: new Map(),
    rotations: new Map(),
  };
  const passphraseFile = surroundings.env["WHARF_PASSPHRASE_FILE"];
  if (passphraseFile !== undefined && passphraseFile !== "") {
    const access = await accessFor(surroundings, "passphrase");
    return { content: { ...shared, recipients: [], writers: [] }, access, madeKeyFile: undefined };
  }
  const { key, made } = await ensureVaultKey(surroundings);
  return {
    content: { ...shared, recipients: [key.recipient], writers: [key.writer] },
    access: { kind: "key", key },
    madeKeyFile: made ? vaultKeyPath(surroundings) : undefined,
  };
}

async function readVaultText(path: string): Promise<string | undefined> {
  return await readTextLimited(path, MAX_VAULT_BYTES);
}
