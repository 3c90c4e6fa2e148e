import { resolve } from "node:path";
import type { Unusable } from "#consumers/found-logins";
import { AppError, type Context, isAppError } from "#core";
import {
  createSecretReader,
  findConfig,
  type Login,
  proposeName,
  readConfigIfAny,
  type SecretReader,
  type Surroundings,
  type WharfConfig,
} from "#logins";
import { targetOf } from "../inventory.ts";
import { consumerNamed, type Inventory } from "../targets.ts";
import type { ImportedLogin, ImportPlan, LeftOut } from "./contract.ts";
import { type ReadLogin, readFound } from "./read-found.ts";
import { shortLived } from "./short-lived.ts";

export interface ImportWish {
  /** Absolute. */
  readonly files: readonly string[];
  /** Programs of this machine whose own files are read. */
  readonly programs: readonly string[];
  readonly configFile: string | undefined;
  /** Take logins that end within hours too. */
  readonly shortLived: boolean;
  /** Absolute; the password of Ansible Vault. */
  readonly vaultPasswordFile: string | undefined;
}

/**
 * What the files hold and wharf.yaml has not: names proposed, the same login from several files once, Hub's spellings folded. Writes
 * nothing, asks no registry. Throws what the vault throws.
 */
export async function planImport(
  context: Context,
  surroundings: Surroundings,
  inventory: Inventory,
  wish: ImportWish,
): Promise<ImportPlan> {
  const location = await findConfig(surroundings, wish.configFile, true);
  const config = await configAt(surroundings, wish.configFile, location.path);
  const secrets = createSecretReader(context, surroundings, config);
  const own = await programFiles(context, inventory, wish.programs);
  const read = await readFound(context, {
    env: surroundings.env,
    paths: [
      ...wish.files.map((path) => ({ path, isNamed: true })),
      ...own.map((path) => ({ path, isNamed: false })),
    ],
    vaultPassword: ({ label }) =>
      secrets.ansiblePassword(
        wish.vaultPasswordFile === undefined
          ? { label }
          : { label, source: { kind: "file", path: wish.vaultPasswordFile } },
      ),
  });
  const leftOut: LeftOut[] = read.unusable.map(unusable);
  const usable = read.logins.filter((login) => {
    const why = wish.shortLived ? undefined : shortLived(login, new Date());
    if (why !== undefined)
      leftOut.push({
        where: login.where,
        why,
        kind: "short-lived",
        hint: "to take it all the same, add --short-lived",
      });
    return why === undefined;
  });
  const chosen = await choose(usable, config, secrets);
  return {
    configPath: location.path,
    logins: chosen.logins,
    leftOut: [...leftOut, ...chosen.leftOut],
    unread: read.unread,
  };
}

/** The configuration that the logins go to; an empty one where `-c` names a file to be made. */
async function configAt(
  surroundings: Surroundings,
  configFile: string | undefined,
  path: string,
): Promise<WharfConfig> {
  const none: WharfConfig = { path, text: "", logins: new Map(), deliveries: [] };
  try {
    return (await readConfigIfAny(surroundings, configFile)) ?? none;
  } catch (cause) {
    if (isAppError(cause, "CONFIG_NOT_FOUND")) return none;
    throw cause;
  }
}

async function programFiles(
  context: Context,
  inventory: Inventory,
  programs: readonly string[],
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const name of programs) {
    const place = await inventory.openPlace(context, { kind: "local", text: "local" }, undefined);
    const consumer = consumerNamed(inventory.consumers, name);
    files.push(...consumer.files(await targetOf(context, place, consumer, {})));
  }
  return files.map((path) => resolve(path));
}

function unusable({ where, why, command, isExample }: Unusable): LeftOut {
  return {
    where,
    why,
    kind: isExample === true ? "example" : "unusable",
    hint: command === undefined ? undefined : `by hand: ${command}`,
  };
}

/** One login for the same images: two of them could not both be sent, and the first file's is the one. */
async function choose(
  found: readonly ReadLogin[],
  config: WharfConfig,
  secrets: SecretReader,
): Promise<Pick<ImportPlan, "logins" | "leftOut">> {
  const logins: ImportedLogin[] = [];
  const leftOut: LeftOut[] = [];
  const taken = new Set(config.logins.keys());
  for (const [images, same] of Map.groupBy(found, imagesOf)) {
    const [first] = same;
    if (first === undefined) continue;
    const twins = same.filter((other) => isSame(first, other));
    for (const other of same.filter((one) => !twins.includes(one)))
      leftOut.push({
        where: other.where,
        kind: "rival",
        why:
          other.username === first.username
            ? `another secret of ${other.username} for ${images} stands in ${first.where}`
            : `${first.username} is taken for ${images}, from ${first.where}`,
        hint: "one login is for the same images; give a file alone to take its login",
      });
    const known = [...config.logins.values()].filter((login) => imagesOf(login) === images);
    const mine = known.find((login) => login.username === first.username);
    const standing = mine ?? known[0];
    if (standing !== undefined) {
      const there = await against(first, standing, secrets);
      if (there !== undefined) {
        leftOut.push({ where: first.where, ...there });
        continue;
      }
    }
    const name = mine?.name ?? proposeName(first.registry, first.path, taken);
    taken.add(name);
    logins.push({
      name,
      registry: first.registry,
      path: first.path,
      username: first.username,
      secret: first.secret,
      identityToken: first.identityToken,
      from: [...new Set(twins.map(({ where }) => where))],
      action: mine === undefined ? "new" : "renews",
    });
  }
  return { logins, leftOut };
}

/** Why a login of wharf.yaml stands in the way; undefined: its secret is another, and is renewed. */
async function against(
  found: ReadLogin,
  known: Login,
  secrets: SecretReader,
): Promise<Omit<LeftOut, "where"> | undefined> {
  if (known.username !== found.username)
    return {
      kind: "rival",
      why: `login ${known.name} (${known.username}) of wharf.yaml is for the same images`,
      hint: "take that one out first, or name each in a delivery of its own",
    };
  if (known.source.kind !== "vault")
    return {
      kind: "there",
      why: `login ${known.name} of wharf.yaml has its secret from another source`,
      hint: undefined,
    };
  try {
    if ((await secrets.read(known)).equals(found.secret))
      return { kind: "there", why: `wharf.yaml has it as login ${known.name}`, hint: undefined };
  } catch (cause) {
    // The login is written down, and its secret is what was missing.
    if (!isAppError(cause, "SECRET_UNAVAILABLE")) throw cause;
  }
  return undefined;
}

function isSame(a: ReadLogin, b: ReadLogin): boolean {
  return a.username === b.username && a.identityToken === b.identityToken && a.secret.equals(b.secret);
}

function imagesOf(login: { readonly registry: string; readonly path: string | undefined }): string {
  return login.path === undefined ? login.registry : `${login.registry}/${login.path}`;
}

/** A login for one image's whole repository is for that path. Throws NOT_FOUND where there is nothing to import. */
export function refuseNothing(plan: ImportPlan): void {
  if (plan.logins.length > 0 || plan.leftOut.some(({ kind }) => kind !== "example")) return;
  if (plan.unread.length > 0) return;
  throw new AppError("NOT_FOUND", "no login is in these files", {
    hint: "name a file that has one, or a program with --from",
  });
}
