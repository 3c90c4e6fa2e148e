import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Context, isAppError, Secret } from "#core";
import { ensurePrivateFolder, readTextLimited, withFileLock, writeFileDurable } from "#system";
import type { Surroundings } from "./contract.ts";
import type { ExchangedSecret } from "./exchange-answer.ts";
import { userConfigFolder } from "./find-config.ts";
import {
  MAX_VAULT_BYTES,
  parseVault,
  renderVault,
  type SealedSecret,
  type VaultContent,
} from "./vault-file.ts";
import { readVaultKey, type VaultKey } from "./vault-key.ts";

/** Short-lived tokens of this user, sealed for their own key alone, so that a provider is not asked for each command. */
export interface ExchangeCache {
  /** The token under this name for this registry and username, where it is good beyond `until`; undefined where there is none. */
  read(
    name: string,
    about: Pick<SealedSecret, "registry" | "username">,
    until: Date,
  ): Promise<ExchangedSecret | undefined>;
  write(name: string, sealed: SealedSecret & { readonly expires: Date }): Promise<void>;
}

/** Remembers nothing where this user has no vault's key. A file that does not open is as one that is not there. */
export function createExchangeCache(context: Context, surroundings: Surroundings): ExchangeCache {
  const folder = userConfigFolder(surroundings);
  const path = join(folder, "exchanged.vault");

  async function open(key: VaultKey): Promise<VaultContent | undefined> {
    const text = await readTextLimited(path, MAX_VAULT_BYTES);
    if (text === undefined) return undefined;
    try {
      return await parseVault(text, { kind: "key", key }, (writer) => writer === key.writer);
    } catch (cause) {
      // After a rekey, or damaged: it is made anew, and holds nothing that cannot be had again.
      if (!isAppError(cause, "VAULT_KEY_WRONG") && !isAppError(cause, "VAULT_TAMPERED")) throw cause;
      context.log.warn("the file of exchanged tokens does not open, so it is made anew", {
        path,
        code: cause.code,
      });
      return undefined;
    }
  }

  return {
    async read(name, { registry, username }, until) {
      const key = await readVaultKey(surroundings);
      const sealed = key === undefined ? undefined : (await open(key))?.secrets.get(name);
      if (sealed?.expires === undefined || sealed.expires <= until) return undefined;
      if (sealed.registry !== registry || sealed.username !== username) return undefined;
      return { secret: sealed.secret, expires: sealed.expires };
    },
    async write(name, sealed) {
      const key = await readVaultKey(surroundings);
      if (key === undefined) return;
      await ensurePrivateFolder(folder);
      await withFileLock(context, `${path}.lock`, async () => {
        const content = (await open(key)) ?? {
          id: randomUUID(),
          markKey: new Secret(randomUUID()),
          recipients: [key.recipient],
          writers: [key.writer],
          secrets: new Map(),
          rotations: new Map(),
        };
        const now = Date.now();
        const live = [...content.secrets].filter(
          ([, one]) => one.expires !== undefined && one.expires.getTime() > now,
        );
        const secrets = new Map(live).set(name, sealed);
        const text = await renderVault({ ...content, secrets }, { kind: "key", key });
        await writeFileDurable(path, text, { mode: 0o600 });
      });
    },
  };
}
