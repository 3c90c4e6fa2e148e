import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { basename, join } from "node:path";
import { generateX25519Identity } from "age-encryption";
import { AppError, type Context, Secret } from "#core";
import { createFileDurable, ensurePrivateFolder, readTextLimited } from "#system";
import type { Delivery, Login, WharfConfig } from "./contract.ts";
import { addDeliveries, EMPTY_CONFIG, type LoginLines, writeLogin } from "./edit-config.ts";
import { renderDate } from "./save-login.ts";
import type { SecretReader } from "./secret-source.ts";
import { renderVault, type SealedSecret, type VaultAccess } from "./vault-file.ts";
import { createVaultKey, isRecipient, renderKeyFile, type VaultKey } from "./vault-key.ts";
import { isVaultPasswordSource, renderVaultPassword } from "./vault-password.ts";

/** What is sealed for somebody else, and where it is written. */
export interface SealPart {
  /** Deliveries that it holds, with their logins and no others. */
  readonly deliveries: readonly Delivery[];
  /** What `at:` is there, where the place has another name from there. */
  readonly at: string | undefined;
  /** `age1…` of who shall open it; undefined: a new key is made, written beside it, and its owner's signature counts. */
  readonly recipient: string | undefined;
  /** Ours; signs what is sealed for a recipient. */
  readonly ownKey: VaultKey | undefined;
  readonly folder: string;
}

export interface SealedPart {
  readonly files: readonly string[];
  readonly logins: readonly string[];
  /** Whose signature its reader must trust; undefined where the reader's own key signed. */
  readonly writer: string | undefined;
}

/**
 * Writes `wharf.yaml`, `wharf.vault` (and `key`, and CA files) into a new folder: some deliveries and their logins, whatever their secrets
 * came from now in that vault. Throws ALREADY_EXISTS where one of the files is there; what a secret's source fails with.
 */
export async function sealPart(
  context: Context,
  from: { readonly config: WharfConfig; readonly secrets: Pick<SecretReader, "read" | "vault"> },
  part: SealPart,
): Promise<SealedPart> {
  const { config, secrets } = from;
  const names = new Set(
    part.deliveries.flatMap(({ logins, users }) =>
      users === undefined ? (logins ?? [...config.logins.keys()]) : [...users.values()].flat(),
    ),
  );
  const logins = [...config.logins.values()].filter(({ name }) => names.has(name));
  const sealed = new Map<string, SealedSecret>();
  for (const login of logins) {
    const { registry, username } = login;
    sealed.set(login.name, { registry, username, secret: await secrets.read(login) });
  }
  context.signal.throwIfAborted();
  const { access, recipients, keyText } = await accessOf(part);
  const writers = access.kind === "key" ? [access.key.writer] : [];
  const content = {
    id: randomUUID(),
    markKey: partMarkKey((await secrets.vault())?.markKey ?? part.ownKey?.identity),
    recipients,
    writers,
    secrets: sealed,
    rotations: new Map(),
  };
  const files = new Map<string, string>([
    ["wharf.vault", await renderVault(content, access)],
    ["wharf.yaml", renderPart(logins, part)],
    ...(keyText === undefined ? [] : ([["key", keyText]] as const)),
  ]);
  for (const { caFile } of logins) {
    const text = caFile === undefined ? undefined : await readTextLimited(caFile, 1024 * 1024);
    if (caFile !== undefined && text !== undefined) files.set(basename(caFile), text);
  }
  await ensurePrivateFolder(part.folder);
  for (const [name, text] of files)
    if (!(await createFileDurable(join(part.folder, name), text)))
      throw new AppError("ALREADY_EXISTS", `${join(part.folder, name)} is there already`, {
        hint: "name a new folder",
      });
  return {
    files: [...files.keys()].sort(),
    logins: logins.map(({ name }) => name),
    writer: part.recipient === undefined ? undefined : part.ownKey?.writer,
  };
}

/**
 * The same each time, so that a part made anew knows what was delivered with the one before, and prunes what left it. Made from a secret
 * of ours, and tells nothing of it: our own marks stay closed to who reads the part.
 */
function partMarkKey(ours: Secret | undefined): Secret {
  const key = ours?.reveal() ?? randomBytes(32);
  return new Secret(createHmac("sha256", key).update("the mark key of a sealed part").digest("hex"));
}

async function accessOf({ recipient, ownKey }: SealPart): Promise<{
  readonly access: VaultAccess;
  readonly recipients: readonly string[];
  readonly keyText: string | undefined;
}> {
  if (recipient === undefined) {
    const key = await createVaultKey(new Secret(await generateX25519Identity()));
    return { access: { kind: "key", key }, recipients: [key.recipient], keyText: renderKeyFile(key) };
  }
  if (!isRecipient(recipient))
    throw new AppError("USAGE", "a recipient is a key that begins with age1", {
      hint: "take it from `wharf vault recipients` where it shall be opened",
    });
  if (ownKey === undefined)
    throw new AppError("VAULT_KEY_WRONG", "there is no key of yours to sign it with", {
      hint: "leave --to out: a new key is made and written beside it",
    });
  return { access: { kind: "key", key: ownKey }, recipients: [recipient], keyText: undefined };
}

function renderPart(logins: readonly Login[], part: SealPart): string {
  const empty = `# Written by \`wharf vault seal\`: a part of another wharf.yaml.\n${EMPTY_CONFIG}`;
  const text = logins.reduce((before, login) => writeLogin(before, login.name, linesOf(login)), empty);
  return addDeliveries(
    text,
    part.deliveries.map(({ to, at, logins: wanted, users, options }) => {
      const password = options["vault-password"];
      return {
        to,
        at: part.at ?? at.text,
        ...options,
        ...(isVaultPasswordSource(password) ? { "vault-password": renderVaultPassword(password) } : {}),
        ...(wanted === undefined ? {} : { logins: wanted }),
        ...(users === undefined ? {} : { users: Object.fromEntries(users) }),
      };
    }),
  );
}

function linesOf(login: Login): LoginLines {
  const { registry, path, username, expires, plainHttp, caFile, realmHosts, identityToken } = login;
  return {
    registry: path === undefined ? registry : `${registry}/${path}`,
    username,
    ...(expires === undefined ? {} : { expires: renderDate(expires) }),
    ...(plainHttp ? { plainHttp } : {}),
    ...(caFile === undefined ? {} : { ca: basename(caFile) }),
    ...(realmHosts === undefined ? {} : { realmHosts }),
    ...(identityToken ? { identityToken } : {}),
  };
}
