import { basename, dirname, join } from "node:path";
import { AppError } from "#core";
import { besideConfig, type WharfConfig } from "#logins";
import { ensurePrivateFolder, isThere, readFileLimited, writeFileDurable } from "#system";

const MAX_BYTES = 64 * 1024 * 1024;

/** A configuration in a folder that may be written. */
export interface WorkCopy {
  readonly configPath: string;
  /** The vault's key, where one lies beside the configuration. */
  readonly keyFile: string | undefined;
}

/**
 * Copies a configuration with its vault, CA files and `key` into a folder that may be written, 0600 each: a mounted Secret is read-only, and
 * its files may be read by a group. The state is kept there.
 */
export async function copyToWork(
  config: Pick<WharfConfig, "path" | "logins">,
  folder: string,
): Promise<WorkCopy> {
  const key = join(dirname(config.path), "key");
  const authorities = [...config.logins.values()].flatMap(({ caFile }) => caFile ?? []);
  await ensurePrivateFolder(folder);
  for (const path of new Set([config.path, besideConfig(config.path, "vault"), key, ...authorities])) {
    const bytes = await readFileLimited(path, MAX_BYTES);
    if (bytes !== undefined) await writeFileDurable(join(folder, basename(path)), bytes, { mode: 0o600 });
    else if (path === config.path) throw new AppError("CONFIG_NOT_FOUND", `there is no file ${path}`);
  }
  const keyFile = join(folder, "key");
  return {
    configPath: join(folder, basename(config.path)),
    keyFile: (await isThere(keyFile)) ? keyFile : undefined,
  };
}
