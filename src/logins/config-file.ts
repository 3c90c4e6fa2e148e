import { dirname } from "node:path";
import { AppError, type Context } from "#core";
import {
  ensurePrivateFolder,
  fileMode,
  homeFolder,
  isThere,
  readTextLimited,
  realPath,
  withFileLock,
  writeFileDurable,
} from "#system";
import type { Surroundings, WharfConfig } from "./contract.ts";
import { EMPTY_CONFIG } from "./edit-config.ts";
import { type ConfigLocation, findConfig } from "./find-config.ts";
import { type ConfigRule, parseConfig } from "./parse-config.ts";
import { areCommandsTrusted, trustCommands } from "./trust-store.ts";

const MAX_CONFIG_BYTES = 1024 * 1024;

/** The configuration of `-c`, WHARF_CONFIG, the current folder or the user's folder. Throws CONFIG_NOT_FOUND and what `parseConfig` throws. */
export async function readConfig(
  surroundings: Surroundings,
  explicit?: string,
  rule: ConfigRule = {},
): Promise<WharfConfig> {
  const location = await findConfig(surroundings, explicit);
  const config = await readConfigAt(surroundings, location, rule);
  if (config !== undefined) return config;
  throw new AppError("CONFIG_NOT_FOUND", `there is no wharf.yaml here, and none at ${location.path}`, {
    hint:
      location.passedOver === undefined
        ? "begin with `wharf login REGISTRY`, which makes it, or name one with -c FILE"
        : `${location.passedOver} is passed over because it or its folder is not yours; if you trust it, name it with -c`,
  });
}

/** As `readConfig`; undefined where there is none. */
export async function readConfigIfAny(
  surroundings: Surroundings,
  explicit?: string,
): Promise<WharfConfig | undefined> {
  return await readConfigAt(surroundings, await findConfig(surroundings, explicit));
}

/**
 * Edits wharf.yaml under its lock, atomically, made where it is not there yet (mode 0644: it is to be shared, and holds no secret).
 * The new text is parsed before it is written: a mistake leaves file and vault as they were. `meanwhile` runs between that check
 * and the write. Commands that were trusted before stay so: this edit is wharf's own.
 */
export async function editConfig(
  context: Context,
  surroundings: Surroundings,
  explicit: string | undefined,
  edit: ConfigEdit,
): Promise<WharfConfig> {
  const location = await findConfig(surroundings, explicit, true);
  const path = await realPath(location.path);
  if (!(await isThere(dirname(path)))) await ensurePrivateFolder(dirname(path));
  return await withFileLock(context, `${path}.lock`, async () => {
    const before = await readTextLimited(path, MAX_CONFIG_BYTES);
    const home = homeFolder(surroundings.env);
    const old = before === undefined ? undefined : parseConfig(path, before, home, { mayCollide: true });
    const wasTrusted = old !== undefined && (await areCommandsTrusted(surroundings, old));
    const config = parseConfig(path, edit.change(before ?? EMPTY_CONFIG), home, edit.rule);
    await edit.meanwhile?.(config);
    if (config.text !== before)
      await writeFileDurable(path, config.text, { mode: (await fileMode(path)) ?? 0o644 });
    if (wasTrusted) await trustCommands(context, surroundings, config);
    return config;
  });
}

export interface ConfigEdit {
  /** What is not asked of the new text. */
  readonly rule?: ConfigRule;
  /** The new text. */
  change(text: string): string;
  meanwhile?(config: WharfConfig): Promise<void>;
}

async function readConfigAt(
  surroundings: Surroundings,
  location: ConfigLocation,
  rule: ConfigRule = {},
): Promise<WharfConfig | undefined> {
  const text = await readTextLimited(location.path, MAX_CONFIG_BYTES);
  return text === undefined
    ? undefined
    : parseConfig(location.path, text, homeFolder(surroundings.env), rule);
}
