import { dirname, join } from "node:path";
import { AppError, type Context, parseName, type Secret } from "#core";
import { parseRegistry } from "#oci";
import { writeFileDurable } from "#system";
import { editConfig } from "./config-file.ts";
import type { Surroundings } from "./contract.ts";
import { removeLogin, writeLogin } from "./edit-config.ts";
import { besideConfig } from "./find-config.ts";
import { changeVault } from "./vault.ts";

export interface NewLogin {
  readonly name: string;
  /** `host[:port][/path]`, as a person writes it. */
  readonly registry: string;
  readonly username: string;
  readonly secret: Secret;
  readonly expires?: Date;
  readonly plainHttp?: boolean;
  /** Absolute path of a PEM file with the registry's private CA. */
  readonly caFile?: string;
  /** PEM text of it, where there is no file yet: it is written beside wharf.yaml. */
  readonly ca?: string;
  readonly realmHosts?: readonly string[];
  /** Is the secret an identity token; where nothing is said a login that is there stays as it is. */
  readonly identityToken?: boolean;
}

export interface SavedLogin {
  readonly configPath: string;
  readonly vaultPath: string;
  /** The vault's key file, where this was the first use and it was made. */
  readonly madeKeyFile: string | undefined;
}

/**
 * Seals a login's secret in the vault and writes the login to wharf.yaml; both are made at first use, the vault's key too. A login
 * of that name is replaced. Proves nothing: that is `proveLogin` of room `client`. Throws CONFIG_INVALID, LOGINS_COLLIDE,
 * NAME_INVALID, VAULT_KEY_WRONG, VAULT_TAMPERED; then nothing was changed.
 */
export async function saveLogin(
  context: Context,
  surroundings: Surroundings,
  configFile: string | undefined,
  login: NewLogin,
): Promise<SavedLogin> {
  parseName("login", login.name);
  const { registry, path } = parseRegistry(login.registry);
  let madeKeyFile: string | undefined;
  const config = await editConfig(context, surroundings, configFile, {
    change: (text) =>
      writeLogin(text, login.name, {
        registry: path === undefined ? registry : `${registry}/${path}`,
        username: login.username,
        ...(login.expires === undefined ? {} : { expires: renderDate(login.expires) }),
        ...(login.plainHttp === true ? { plainHttp: true } : {}),
        ...(login.ca === undefined ? {} : { ca: caName(registry) }),
        ...(login.ca === undefined && login.caFile !== undefined ? { ca: login.caFile } : {}),
        ...(login.realmHosts === undefined ? {} : { realmHosts: login.realmHosts }),
        ...(login.identityToken === undefined ? {} : { identityToken: login.identityToken }),
      }),
    async meanwhile(next) {
      if (login.ca !== undefined) {
        await writeFileDurable(join(dirname(next.path), caName(registry)), login.ca, { mode: 0o644 });
      }
      const change = await changeVault(context, surroundings, next.path, (content) => ({
        ...content,
        secrets: new Map(content.secrets).set(login.name, {
          registry,
          username: login.username,
          secret: login.secret,
        }),
      }));
      madeKeyFile = change.madeKeyFile;
    },
  });
  return { configPath: config.path, vaultPath: besideConfig(config.path, "vault"), madeKeyFile };
}

/**
 * Takes a login out of wharf.yaml (its deliveries too) and its secret out of the vault. False where neither had it. What was
 * delivered stays until the next `apply` prunes it.
 */
export async function deleteLogin(
  context: Context,
  surroundings: Surroundings,
  configFile: string | undefined,
  name: string,
): Promise<{ readonly removed: boolean; readonly configPath: string }> {
  let had = false;
  const config = await editConfig(context, surroundings, configFile, {
    // Of three logins for the same images two are still left.
    rule: { mayCollide: true },
    change(text) {
      const next = removeLogin(text, name);
      had = next !== text;
      return next;
    },
  });
  await changeVault(context, surroundings, config.path, (content) => {
    if (!content.secrets.has(name) && !content.rotations.has(name)) return content;
    had = true;
    const secrets = new Map(content.secrets);
    secrets.delete(name);
    const rotations = new Map(content.rotations);
    rotations.delete(name);
    return { ...content, secrets, rotations };
  });
  return { removed: had, configPath: config.path };
}

/** A name for a new login: the registry's own, then the path's last part, made to fit the rule of names; a number where it is taken. */
export function proposeName(registry: string, path: string | undefined, taken: ReadonlySet<string>): string {
  const host = registry
    .replace(/^(?:registry|docker|cr|hub)\.(?=[^.]+\.)/, "")
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-");
  const last = path?.split("/").at(-1);
  const base = `${host}${last === undefined ? "" : `-${last}`}`.replaceAll(/^[._-]+|[._-]+$/g, "") || "login";
  for (let number = 1; number < 1000; number++) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(name)) return name;
  }
  throw new AppError("ALREADY_EXISTS", `there are too many logins named ${base}`, {
    hint: "name it with --as",
  });
}

/** A day where it is one, else to the second. */
export function renderDate(date: Date): string {
  const text = date.toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : `${text.slice(0, 19)}Z`;
}

function caName(registry: string): string {
  return `${registry.replaceAll(/[^A-Za-z0-9.-]/g, "-")}.ca.pem`;
}
