import { AppError } from "#core";

/** More than this is no file of logins; Ansible itself has no limit. */
const MAX_ENVELOPE_CHARACTERS = 16 * 1024 * 1024;

/** An encrypted text, taken apart; nothing of it is believed yet. */
export interface VaultEnvelope {
  /** Label of the password (vault-id) that format 1.2 names; undefined: 1.1, which names none. */
  readonly label: string | undefined;
  readonly salt: Uint8Array;
  /** HMAC-SHA-256 over the ciphertext. */
  readonly mac: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Does a text begin as Ansible's `is_encrypted` wants it. */
export function isAnsibleVault(text: string): boolean {
  return text.startsWith("$ANSIBLE_VAULT");
}

/**
 * Takes a text of `ansible-vault` apart (lib/ansible/parsing/vault: a header, then hexadecimal lines around three hexadecimal fields).
 * White space around the lines counts for nothing, as in an indented `!vault |` value. `where` names it in messages. Throws FILE_INVALID.
 */
export function parseEnvelope(text: string, where: string): VaultEnvelope {
  if (text.length > MAX_ENVELOPE_CHARACTERS)
    throw new AppError("TOO_LARGE", `${where}: it has more than ${MAX_ENVELOPE_CHARACTERS} characters`);
  const [header = "", ...lines] = text.trim().split(/\r\n|\n|\r/);
  const label = parseHeader(header, where);
  const inner = fromHex(lines.map((line) => line.trim()).join(""), where).toString("latin1");
  const [salt, mac, ciphertext, ...more] = inner.split("\n");
  if (salt === undefined || mac === undefined || ciphertext === undefined || more.length > 0)
    throw damaged(where, "it does not hold a salt, a mark and a content");
  const envelope = {
    label,
    salt: fromHex(salt, where),
    mac: fromHex(mac, where),
    ciphertext: fromHex(ciphertext, where),
  };
  if (envelope.salt.length === 0) throw damaged(where, "its salt is empty");
  if (envelope.mac.length !== 32) throw damaged(where, "its mark does not have 32 bytes");
  if (envelope.ciphertext.length === 0 || envelope.ciphertext.length % 16 !== 0)
    throw damaged(where, "its content is not whole blocks of 16 bytes");
  return envelope;
}

/** The text as `ansible-vault` writes it: lines of 80 characters, a newline at the end. */
export function renderEnvelope({ label, salt, mac, ciphertext }: VaultEnvelope): string {
  const header = label === undefined ? "$ANSIBLE_VAULT;1.1;AES256" : `$ANSIBLE_VAULT;1.2;AES256;${label}`;
  const inner = [salt, mac, ciphertext].map((bytes) => Buffer.from(bytes).toString("hex")).join("\n");
  const lines =
    Buffer.from(inner, "latin1")
      .toString("hex")
      .match(/.{1,80}/g) ?? [];
  return `${[header, ...lines].join("\n")}\n`;
}

/** The label that a header names. */
function parseHeader(header: string, where: string): string | undefined {
  const [magic, version, cipher, label, ...more] = header.split(";").map((field) => field.trim());
  if (magic !== "$ANSIBLE_VAULT") throw damaged(where, "it does not begin with $ANSIBLE_VAULT");
  if ((version !== "1.1" && version !== "1.2") || cipher !== "AES256")
    throw new AppError(
      "FILE_INVALID",
      `${where}: it is in a format of Ansible Vault that is not used any more`,
      {
        hint: "encrypt it again with a current ansible-vault, which writes 1.1;AES256 or 1.2;AES256",
      },
    );
  if (version === "1.1" ? label !== undefined : label === undefined || label === "" || more.length > 0)
    throw damaged(where, "its first line is not that of its version");
  return version === "1.1" || label === "default" ? undefined : label;
}

function fromHex(text: string, where: string): Buffer {
  if (text.length % 2 !== 0 || !/^[0-9A-Fa-f]*$/.test(text))
    throw damaged(where, "it is not hexadecimal throughout: lines are missing or changed");
  return Buffer.from(text, "hex");
}

function damaged(where: string, why: string): AppError {
  return new AppError("FILE_INVALID", `${where}: this is not a text of Ansible Vault: ${why}`, {
    hint: "take the file back from version control; wharf left it as it is",
  });
}
