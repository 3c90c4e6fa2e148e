import {
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from "node:crypto";
import { dirname, join, resolve } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { AppError, Secret } from "#core";
import { ensurePrivateFolder, fileMode, isThere, readTextLimited, writeFileDurable } from "#system";
import type { Surroundings } from "./contract.ts";
import { userConfigFolder } from "./find-config.ts";

/** PKCS#8 and SPKI wrappings of a raw Ed25519 key (RFC 8410), so that the seed can be derived and nothing else stored. */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");

/** A person's (or service's) key to vaults: one age identity. The writer's signing key is derived from it, so that one line is all to keep. */
export interface VaultKey {
  readonly identity: Secret;
  /** `age1…`: what others add as a recipient. */
  readonly recipient: string;
  /** Base64 of the public Ed25519 key: what others trust as a writer. */
  readonly writer: string;
  sign(bytes: Uint8Array): Uint8Array;
}

/** Has a text the form of `age1…`; whether somebody has the key to it nobody can tell. */
export function isRecipient(text: string): boolean {
  return /^age1[a-z0-9]{20,}$/.test(text);
}

/** Where the key is: `WHARF_KEY_FILE`, else `key` in the user's configuration folder. */
export function vaultKeyPath(surroundings: Surroundings): string {
  const named = surroundings.env["WHARF_KEY_FILE"];
  if (named !== undefined && named !== "") return resolve(surroundings.cwd, named);
  return join(userConfigFolder(surroundings), "key");
}

/**
 * The key; undefined when there is none yet. An ordinary age identity file (comments, one `AGE-SECRET-KEY-1…` line) serves.
 * Throws PERMISSION_DENIED for a file that others may read, CONFIG_INVALID for one that holds no key.
 */
export async function readVaultKey(surroundings: Surroundings): Promise<VaultKey | undefined> {
  const path = vaultKeyPath(surroundings);
  const text = await readTextLimited(path, 64 * 1024);
  if (text === undefined) return undefined;
  const mode = (await fileMode(path)) ?? 0;
  if ((mode & 0o077) !== 0)
    throw new AppError(
      "PERMISSION_DENIED",
      `the vault's key ${path} can be read by others (mode 0${mode.toString(8)})`,
      {
        hint: `chmod 600 ${path}; if others had access, make a new key and run \`wharf vault rekey\``,
      },
    );
  const line = text.split("\n").find((candidate) => candidate.trim().startsWith("AGE-SECRET-KEY-"));
  if (line === undefined)
    throw new AppError("CONFIG_INVALID", `${path}: holds no AGE-SECRET-KEY line`, {
      hint: "restore it from its backup, or point WHARF_KEY_FILE to an age identity file",
    });
  return await createVaultKey(new Secret(line.trim()));
}

/** The key, made at first use: 0600, durable before anything is sealed with it. Never replaces one. */
export async function ensureVaultKey(surroundings: Surroundings): Promise<{ key: VaultKey; made: boolean }> {
  const found = await readVaultKey(surroundings);
  if (found !== undefined) return { key: found, made: false };
  const path = vaultKeyPath(surroundings);
  if (await isThere(path)) throw new AppError("PERMISSION_DENIED", `${path} is not a file that can be read`);
  // A folder that is there is not ours to tighten: WHARF_KEY_FILE may name any.
  if (!(await isThere(dirname(path)))) await ensurePrivateFolder(dirname(path));
  const key = await createVaultKey(new Secret(await generateX25519Identity()));
  await writeFileDurable(path, renderKeyFile(key), { mode: 0o600 });
  return { key, made: true };
}

/** The key file's text, as `age-keygen` writes it. Secret. */
export function renderKeyFile(key: VaultKey): string {
  return `# wharf vault key: whoever has this file can read the vaults sealed for it\n# public key: ${key.recipient}\n${key.identity.reveal()}\n`;
}

export async function createVaultKey(identity: Secret): Promise<VaultKey> {
  let recipient: string;
  try {
    recipient = await identityToRecipient(identity.reveal());
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", "the vault's key is not an age identity", {
      hint: "restore the key file from its backup",
      cause,
    });
  }
  const seed = Buffer.from(hkdfSync("sha256", identity.reveal(), "", "wharf vault writer 1", 32));
  const signer = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, seed]),
    format: "der",
    type: "pkcs8",
  });
  const raw = createPublicKey(signer).export({ format: "der", type: "spki" }).subarray(SPKI_ED25519.length);
  return {
    identity,
    recipient,
    writer: Buffer.from(raw).toString("base64"),
    sign: (bytes) => signBytes(null, bytes, signer),
  };
}

/** Is `signature` over `bytes` by this writer (base64 of a raw Ed25519 public key); false for anything malformed. */
export function isSignedBy(writer: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  const raw = Buffer.from(writer, "base64");
  if (raw.length !== 32 || signature.length !== 64) return false;
  const key: KeyObject = createPublicKey({
    key: Buffer.concat([SPKI_ED25519, raw]),
    format: "der",
    type: "spki",
  });
  return verifyBytes(null, bytes, key, signature);
}
