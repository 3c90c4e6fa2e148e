import { createHash } from "node:crypto";
import { join } from "node:path";
import { AppError, type Context } from "#core";
import { ensurePrivateFolder, readTextLimited, realPath, withFileLock, writeFileDurable } from "#system";
import type { Surroundings, WharfConfig } from "./contract.ts";
import { userConfigFolder } from "./find-config.ts";

/** What this user has said yes to: files whose commands may run, and whose signature on a vault counts. No secret. */
export interface TrustStore {
  /** Absolute path of a wharf.yaml → SHA-256 of the content that was looked at. */
  readonly commands: Readonly<Record<string, string>>;
  /** Writers trusted for every vault. */
  readonly writers: readonly string[];
  /** Vault id → writers that a trusted writer named in it. */
  readonly vaults: Readonly<Record<string, readonly string[]>>;
}

const EMPTY: TrustStore = { commands: {}, writers: [], vaults: {} };

/** Empty where nothing was trusted yet. Throws CONFIG_INVALID where the file is damaged: trust is not guessed. */
export async function readTrust(surroundings: Surroundings): Promise<TrustStore> {
  const path = trustPath(surroundings);
  const text = await readTextLimited(path, 4 * 1024 * 1024);
  if (text === undefined) return EMPTY;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "version" in value && value.version === 1)
      return { ...EMPTY, ...(value as Partial<TrustStore>) };
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", `${path}: is damaged`, {
      hint: "remove it, and trust again",
      cause,
    });
  }
  throw new AppError("CONFIG_INVALID", `${path}: is of another version`, { hint: "use a newer wharf" });
}

/** Changes the store under its lock; nothing is written when nothing changes. */
export async function changeTrust(
  context: Context,
  surroundings: Surroundings,
  change: (store: TrustStore) => TrustStore,
): Promise<void> {
  const folder = userConfigFolder(surroundings);
  await ensurePrivateFolder(folder);
  await withFileLock(context, `${trustPath(surroundings)}.lock`, async () => {
    const before = await readTrust(surroundings);
    const after = change(before);
    if (JSON.stringify(after) === JSON.stringify(before)) return;
    await writeFileDurable(
      trustPath(surroundings),
      `${JSON.stringify({ version: 1, ...after }, undefined, 2)}\n`,
    );
  });
}

/** May this file's `command:` sources run: its path and exactly this content were trusted. */
export async function areCommandsTrusted(surroundings: Surroundings, config: WharfConfig): Promise<boolean> {
  const store = await readTrust(surroundings);
  return store.commands[await realPath(config.path)] === contentHash(config.text);
}

/** Trusts the commands of this very content. */
export async function trustCommands(
  context: Context,
  surroundings: Surroundings,
  config: WharfConfig,
): Promise<void> {
  const path = await realPath(config.path);
  await changeTrust(context, surroundings, (store) => ({
    ...store,
    commands: { ...store.commands, [path]: contentHash(config.text) },
  }));
}

function contentHash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function trustPath(surroundings: Surroundings): string {
  return join(userConfigFolder(surroundings), "trust.json");
}
