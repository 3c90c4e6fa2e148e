import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  pbkdf2Sync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { AppError, Secret } from "#core";
import { parseEnvelope, renderEnvelope } from "./envelope.ts";

/** A password with the label (vault-id) that it is for. */
export interface VaultPassword {
  /** undefined: no label, Ansible's `default`. */
  readonly label: string | undefined;
  readonly password: Secret;
}

/** What a password opened. */
export interface OpenedVault {
  readonly clear: Secret;
  readonly by: VaultPassword;
  /** Label that the text names, for sealing it again as it was. */
  readonly label: string | undefined;
}

const ITERATIONS = 10_000;
const SALT_BYTES = 32;

/**
 * The clear text. The password of the label that the text names is tried first and then the others, as Ansible does it. `where` names the
 * text in messages. Throws FILE_INVALID for what is no such text, SECRET_UNAVAILABLE where no password opens it.
 */
export function openAnsibleVault(
  text: string,
  passwords: readonly VaultPassword[],
  where: string,
): OpenedVault {
  const envelope = parseEnvelope(text, where);
  const inOrder = [...passwords].sort(
    (a, b) => Number(b.label === envelope.label) - Number(a.label === envelope.label),
  );
  for (const by of inOrder) {
    const keys = deriveKeys(by.password, envelope.salt);
    const mac = createHmac("sha256", keys.mac).update(envelope.ciphertext).digest();
    if (!timingSafeEqual(mac, envelope.mac)) continue;
    const decipher = createDecipheriv("aes-256-ctr", keys.cipher, keys.iv);
    const padded = Buffer.concat([decipher.update(envelope.ciphertext), decipher.final()]);
    return { clear: new Secret(decode(unpad(padded, where), where)), by, label: envelope.label };
  }
  const named =
    envelope.label === undefined ? "" : ` (it names the vault-id ${JSON.stringify(envelope.label)})`;
  throw new AppError(
    "SECRET_UNAVAILABLE",
    passwords.length === 0
      ? `${where}: it is encrypted with Ansible Vault, and no password was given${named}`
      : `${where}: no password given opens it${named}`,
    {
      hint: "say where the vault's password comes from: vault-password: { file: … }, command: […] or prompt: true",
    },
  );
}

/** Encrypts a text: format 1.1, or 1.2 where the password has a label. Each time with a new salt. Throws INVALID_INPUT. */
export function sealAnsibleVault(clear: Secret, { label, password }: VaultPassword): string {
  if (password.length === 0) throw new AppError("INVALID_INPUT", "a vault's password may not be empty");
  // `;` ends it in the header, and Ansible trims it.
  if (label !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(label))
    throw new AppError("INVALID_INPUT", `${JSON.stringify(label.slice(0, 60))} is not a vault-id`, {
      hint: "letters, digits, '.', '_', '-' and '@'",
    });
  const salt = randomBytes(SALT_BYTES);
  const keys = deriveKeys(password, salt);
  const bytes = Buffer.from(clear.reveal(), "utf8");
  const padding = 16 - (bytes.length % 16);
  // The padding stands there since Ansible's first cipher needed it; CTR does not, and leaves it in place.
  const cipher = createCipheriv("aes-256-ctr", keys.cipher, keys.iv);
  const ciphertext = Buffer.concat([
    cipher.update(Buffer.concat([bytes, Buffer.alloc(padding, padding)])),
    cipher.final(),
  ]);
  const mac = createHmac("sha256", keys.mac).update(ciphertext).digest();
  return renderEnvelope({ label: label === "default" ? undefined : label, salt, mac, ciphertext });
}

function deriveKeys(
  password: Secret,
  salt: Uint8Array,
): { readonly cipher: Uint8Array; readonly mac: Uint8Array; readonly iv: Uint8Array } {
  const keys = pbkdf2Sync(Buffer.from(password.reveal(), "utf8"), salt, ITERATIONS, 80, "sha256");
  return { cipher: keys.subarray(0, 32), mac: keys.subarray(32, 64), iv: keys.subarray(64, 80) };
}

function unpad(padded: Uint8Array, where: string): Uint8Array {
  const padding = padded.at(-1) ?? 0;
  const isPadded =
    padding >= 1 &&
    padding <= 16 &&
    padded.subarray(padded.length - padding).every((byte) => byte === padding);
  if (!isPadded) throw new AppError("FILE_INVALID", `${where}: its content does not end as it should`);
  return padded.subarray(0, padded.length - padding);
}

function decode(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("FILE_INVALID", `${where}: what it holds is not UTF-8 text`, { cause });
  }
}
