import { armor, Decrypter, Encrypter } from "age-encryption";
import { AppError, Secret } from "#core";
import { parseRotation, type Rotation, renderRotation } from "./rotation.ts";
import { isSignedBy, type VaultKey } from "./vault-key.ts";

const FIRST_LINE = "wharf-vault 1";
/** A vault of ten thousand long secrets is far below this. */
export const MAX_VAULT_BYTES = 16 * 1024 * 1024;
// 2^16: 0.4 s here. The passphrase must carry the strength; the factor only has to be felt by guessing machines.
const SCRYPT_WORK_FACTOR = 16;

/** What a vault holds when open. Lives in memory only. */
export interface VaultContent {
  /** Names the vault: the writers that a trusted writer listed in it are remembered under this. */
  readonly id: string;
  /** 32 random bytes, hex: the keyed marks of the state are made under it, so every recipient can check them. */
  readonly markKey: Secret;
  /** `age1…` of everybody who may open it; empty for a passphrase vault. */
  readonly recipients: readonly string[];
  /** Public keys whose signature counts. */
  readonly writers: readonly string[];
  readonly secrets: ReadonlyMap<string, SealedSecret>;
  /** Rotations under way, by login. */
  readonly rotations: ReadonlyMap<string, Rotation>;
}

/** A secret, and what it is bound to: it is given out only for this registry and username. */
export interface SealedSecret {
  readonly registry: string;
  readonly username: string;
  readonly secret: Secret;
  /** Of a short-lived token that is kept for a while. */
  readonly expires?: Date;
}

/** What opens and seals: a key (recipients), or a passphrase. */
export type VaultAccess =
  | { readonly kind: "key"; readonly key: VaultKey }
  | { readonly kind: "passphrase"; readonly passphrase: Secret };

/** Is it sealed with a passphrase (no key helps) or for recipients; throws VAULT_TAMPERED for what is not a vault. */
export function vaultKind(text: string): VaultAccess["kind"] {
  const { body, signature } = split(text);
  if (signature !== undefined) return "key";
  if (!isForPassphrase(body)) throw tampered("its signature was taken away");
  return "passphrase";
}

/**
 * Seals: JSON, encrypted by age to every recipient (or the passphrase), signed by the writer over the ciphertext. A passphrase vault
 * has no signature: age itself proves that its writer knew the passphrase.
 */
export async function renderVault(content: VaultContent, access: VaultAccess): Promise<string> {
  const encrypter = new Encrypter();
  if (access.kind === "passphrase") {
    encrypter.setScryptWorkFactor(SCRYPT_WORK_FACTOR);
    encrypter.setPassphrase(access.passphrase.reveal());
  } else for (const recipient of content.recipients) encrypter.addRecipient(recipient);
  const body = armor.encode(await encrypter.encrypt(renderContent(content)));
  if (access.kind === "passphrase") return `${FIRST_LINE}\n${body}`;
  const signature = Buffer.from(access.key.sign(signedBytes(body))).toString("base64");
  return `${FIRST_LINE}\nwriter: ${access.key.writer}\nsignature: ${signature}\n${body}`;
}

/**
 * Opens. Throws VAULT_TAMPERED where the signature does not fit or its writer is not in `trusted`, VAULT_KEY_WRONG where the key or
 * passphrase does not open it. The order is deliberate: a changed file is told apart from a wrong key, and nothing is believed
 * before its writer is known.
 */
export async function parseVault(
  text: string,
  access: VaultAccess,
  trusted: (writer: string, content: VaultContent) => boolean,
): Promise<VaultContent> {
  const { body, writer, signature } = split(text);
  if (signature !== undefined && !isSignedBy(writer, signedBytes(body), signature))
    throw tampered("its signature does not fit its content");
  const content = parseContent(await decrypt(body, access));
  if (signature !== undefined && !trusted(writer, content))
    throw tampered(
      "its writer is none that you trust",
      `if ${writer} is a colleague's (each sees their own with \`wharf vault recipients\`), run \`wharf trust --writer ${writer}\``,
    );
  return content;
}

async function decrypt(body: string, access: VaultAccess): Promise<string> {
  const decrypter = new Decrypter();
  if (access.kind === "passphrase") decrypter.addPassphrase(access.passphrase.reveal());
  else decrypter.addIdentity(access.key.identity.reveal());
  const bytes = unarmor(body);
  try {
    return await decrypter.decrypt(bytes, "text");
  } catch (cause) {
    const what = access.kind === "key" ? "this key" : "this passphrase";
    throw new AppError("VAULT_KEY_WRONG", `${what} does not open the vault`, {
      hint:
        access.kind === "key"
          ? "WHARF_KEY_FILE must name the key it was sealed for; somebody who can open it adds you with `wharf vault recipients add`"
          : "type it again; WHARF_PASSPHRASE_FILE must hold exactly the passphrase",
      cause,
    });
  }
}

function unarmor(body: string): Uint8Array {
  try {
    return armor.decode(body);
  } catch (cause) {
    throw tampered("it is not armoured age", undefined, cause);
  }
}

/** The age format, "scrypt recipient stanza": such a file has this one stanza and no other. */
function isForPassphrase(body: string): boolean {
  const header = new TextDecoder().decode(unarmor(body).subarray(0, 64));
  return header.split("\n")[1]?.startsWith("-> scrypt ") === true;
}

function split(text: string): { body: string; writer: string; signature: Uint8Array | undefined } {
  const match =
    /^wharf-vault (\d+)\n(?:writer: ([A-Za-z0-9+/=]+)\nsignature: ([A-Za-z0-9+/=]+)\n)?(-----BEGIN AGE [^]*)$/.exec(
      text,
    );
  if (match === null) throw tampered("it does not have a vault's form");
  if (match[1] !== "1")
    throw new AppError("UNSUPPORTED", "the vault was written by a newer wharf", { hint: "use that version" });
  const signature = match[3] === undefined ? undefined : new Uint8Array(Buffer.from(match[3], "base64"));
  return { body: match[4] ?? "", writer: match[2] ?? "", signature };
}

function signedBytes(body: string): Uint8Array {
  return new TextEncoder().encode(`${FIRST_LINE}\n${body}`);
}

function renderContent(content: VaultContent): string {
  const secrets = Object.fromEntries(
    [...content.secrets].map(([name, sealed]) => [
      name,
      {
        registry: sealed.registry,
        username: sealed.username,
        secret: sealed.secret.reveal(),
        ...(sealed.expires === undefined ? {} : { expires: sealed.expires.toISOString() }),
      },
    ]),
  );
  return JSON.stringify({
    id: content.id,
    markKey: content.markKey.reveal(),
    recipients: content.recipients,
    writers: content.writers,
    secrets,
    ...(content.rotations.size === 0
      ? {}
      : {
          rotations: Object.fromEntries(
            [...content.rotations].map(([name, rotation]) => [name, renderRotation(rotation)]),
          ),
        }),
  });
}

function parseContent(text: string): VaultContent {
  const value = readJson(text);
  const secrets = new Map<string, SealedSecret>();
  for (const [name, sealed] of Object.entries(record(value["secrets"]))) {
    const fields = record(sealed);
    secrets.set(name, {
      registry: textOf(fields["registry"]),
      username: textOf(fields["username"]),
      secret: new Secret(textOf(fields["secret"])),
      ...(fields["expires"] === undefined ? {} : { expires: timeOf(fields["expires"]) }),
    });
  }
  const rotations = new Map<string, Rotation>();
  for (const [name, sealed] of Object.entries(record(value["rotations"] ?? {}))) {
    const rotation = parseRotation(sealed);
    if (rotation === undefined) throw tampered("a rotation sealed in it does not have a rotation's form");
    rotations.set(name, rotation);
  }
  return {
    id: textOf(value["id"]),
    markKey: new Secret(textOf(value["markKey"])),
    recipients: textsOf(value["recipients"]),
    writers: textsOf(value["writers"]),
    secrets,
    rotations,
  };
}

// The words of a JSON error may quote what it read, which is secret here: no cause goes with these.
function readJson(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw tampered("what is sealed in it is not JSON");
  }
  return record(value);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw tampered("what is sealed in it does not have a vault's form");
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw tampered("what is sealed in it does not have a vault's form");
}

function timeOf(value: unknown): Date {
  const time = new Date(textOf(value));
  if (!Number.isNaN(time.getTime())) return time;
  throw tampered("what is sealed in it does not have a vault's form");
}

function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(textOf);
  throw tampered("what is sealed in it does not have a vault's form");
}

function tampered(why: string, hint?: string, cause?: unknown): AppError {
  return new AppError("VAULT_TAMPERED", `the vault cannot be believed: ${why}`, {
    hint: hint ?? "take wharf.vault back from version control or a backup, and find out who changed it",
    cause,
  });
}
