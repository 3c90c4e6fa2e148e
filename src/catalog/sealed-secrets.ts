import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { AppError, Secret } from "#core";
import { type Clock, createFileDurable, readFileLimited } from "#system";
import type { Engine } from "./engine.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Secrets of the server itself (signing keys, upstream logins), sealed in the database under the key file of the data folder. */
export interface SealedSecrets {
  /** The secret of that name; undefined when there is none. Throws STORAGE_FAILED when it does not open under this key. */
  read(name: string): Secret | undefined;
  /** Seals it, in place of the one that was there. */
  write(name: string, secret: Secret): Promise<void>;
  /** The secret of that name, or `make`'s, kept durably. Of several processes at once all get the same one. */
  readOrCreate(name: string, make: () => Secret): Promise<Secret>;
  /** No error when there is none. */
  remove(name: string): Promise<void>;
}

interface SealedRow {
  readonly nonce: Uint8Array;
  readonly box: Uint8Array;
}

/** Opens the key file, made at first use with mode 0600. Throws STORAGE_FAILED when it is not a key. */
export async function openSealedSecrets(options: {
  readonly engine: Engine;
  readonly keyFile: string;
  readonly clock: Clock;
}): Promise<SealedSecrets> {
  const { engine, keyFile, clock } = options;
  const key = await readKey(keyFile);
  const select = engine.db.prepare<SealedRow, [string]>(
    "SELECT nonce, box FROM sealed_secrets WHERE name = ?",
  );
  const upsert = engine.db.prepare<never, [string, Uint8Array, Uint8Array, number]>(
    `INSERT INTO sealed_secrets (name, nonce, box, created_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET nonce = excluded.nonce, box = excluded.box, created_at = excluded.created_at`,
  );
  const remove = engine.db.prepare<never, [string]>("DELETE FROM sealed_secrets WHERE name = ?");

  function read(name: string): Secret | undefined {
    const row = engine.read(() => select.get(name));
    return row === null ? undefined : open(key, name, row);
  }
  function keep(name: string, secret: Secret): void {
    const { nonce, box } = seal(key, name, secret);
    upsert.run(name, nonce, box, clock.now());
  }
  return {
    read,
    write: (name, secret) => engine.write([], () => keep(name, secret)),
    readOrCreate: (name, make) =>
      engine.write([], () => {
        const found = read(name);
        if (found !== undefined) return found;
        const made = make();
        keep(name, made);
        return made;
      }),
    remove: (name) => engine.write([], () => void remove.run(name)),
  };
}

async function readKey(path: string): Promise<Uint8Array> {
  await createFileDurable(path, randomBytes(KEY_BYTES));
  const key = await readFileLimited(path, KEY_BYTES + 1);
  if (key?.length !== KEY_BYTES)
    throw new AppError("STORAGE_FAILED", `${path} is not a key: it must hold ${KEY_BYTES} bytes`, {
      hint: "restore the key file that belongs to this data folder",
    });
  return key;
}

/** The name is authenticated too: a box moved to another row does not open. */
function seal(key: Uint8Array, name: string, secret: Secret): SealedRow {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(name));
  const box = Buffer.concat([cipher.update(secret.reveal(), "utf8"), cipher.final(), cipher.getAuthTag()]);
  return { nonce, box };
}

function open(key: Uint8Array, name: string, row: SealedRow): Secret {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, row.nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(row.box.subarray(-TAG_BYTES));
    const text = Buffer.concat([decipher.update(row.box.subarray(0, -TAG_BYTES)), decipher.final()]);
    return new Secret(text.toString("utf8"));
  } catch (cause) {
    throw new AppError(
      "STORAGE_FAILED",
      `the sealed secret ${JSON.stringify(name)} does not open under this key`,
      {
        hint: "the data folder's key file and database must belong together: restore both from one backup",
        cause,
      },
    );
  }
}
