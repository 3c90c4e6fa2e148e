import type { LoginProof } from "#client";
import { AppError, type Context, isAppError, type Secret } from "#core";
import {
  type NewLogin,
  proposeName,
  readConfigIfAny,
  type SavedLogin,
  type Surroundings,
  saveLogin,
  type WharfConfig,
} from "#logins";
import { parseRegistry } from "#oci";
import type { Fetch } from "#system";
import { type OfferedCa, readOfferedCa } from "./offered-ca.ts";
import { clientOf } from "./prove-logins.ts";

/** What a person says of a login to be made. */
export interface LoginWish {
  /** `host[:port][/path]`. */
  readonly registry: string;
  readonly username: string | undefined;
  readonly name: string | undefined;
  readonly expires: Date | undefined;
  readonly plainHttp: boolean;
  /** Absolute. */
  readonly caFile: string | undefined;
  /** Save it even where the registry asks nobody for a login, so that nothing can be proved. */
  readonly unproved: boolean;
}

/** Which login this wish is about: a known one that is replaced, or a new one. */
export interface LoginDraft {
  readonly name: string;
  /** undefined: to be asked for. */
  readonly username: string | undefined;
  readonly replaces: boolean;
  readonly caFile: string | undefined;
  readonly plainHttp: boolean;
}

/** Finds the login that a wish renews: that of its name, or one for the same images and username; else proposes a name. */
export function draftLogin(config: WharfConfig | undefined, wish: LoginWish): LoginDraft {
  const { registry, path } = parseRegistry(wish.registry);
  const logins = [...(config?.logins.values() ?? [])];
  const same = logins.filter((login) => login.registry === registry && login.path === path);
  const known =
    wish.name === undefined
      ? same.find((login) => wish.username === undefined || login.username === wish.username)
      : config?.logins.get(wish.name);
  const isSameRegistry = known?.registry === registry;
  return {
    name: wish.name ?? known?.name ?? proposeName(registry, path, new Set(config?.logins.keys())),
    username: wish.username ?? (isSameRegistry ? known?.username : undefined),
    replaces: known !== undefined,
    caFile: wish.caFile ?? (isSameRegistry ? known?.caFile : undefined),
    plainHttp: wish.plainHttp || (isSameRegistry && known?.plainHttp === true),
  };
}

export interface Enrolled extends SavedLogin {
  /** undefined: saved without proof, as asked. */
  readonly proof: LoginProof | undefined;
}

/**
 * Proves a login by the exchange that programs do, then seals its secret and writes it to wharf.yaml. Nothing is saved when the
 * registry refuses it (LOGIN_REFUSED), cannot be reached, or asks nobody for a login (LOGIN_NOT_PROVED, unless `unproved`).
 */
export async function enrollLogin(
  context: Context,
  surroundings: Surroundings,
  configFile: string | undefined,
  login: EnrollInput,
): Promise<Enrolled> {
  const { proof, ca } = await proveOrAskForCa(context, login);
  // Kept though it is the registry's own host most often: curl under Enroot must know, and cannot guess.
  const realmHosts = proof?.realmHosts ?? [];
  const expires = login.wish.expires ?? proof?.expiresAt;
  const saved: NewLogin = {
    name: login.draft.name,
    registry: login.wish.registry,
    username: login.username,
    secret: login.secret,
    plainHttp: login.draft.plainHttp,
    ...(expires === undefined ? {} : { expires }),
    ...(login.wish.caFile === undefined ? {} : { caFile: login.wish.caFile }),
    ...(ca === undefined ? {} : { ca }),
    ...(realmHosts.length === 0 ? {} : { realmHosts }),
  };
  return { ...(await saveLogin(context, surroundings, configFile, saved)), proof };
}

export interface EnrollInput {
  readonly wish: LoginWish;
  readonly draft: LoginDraft;
  readonly username: string;
  readonly secret: Secret;
  readonly fetch: Fetch;
  /** Where a proxy is looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Is this the registry's CA: asked where its certificate is not trusted and it offers one of its own. Without: never. */
  confirmCa?(offered: OfferedCa): Promise<boolean>;
}

/** The configuration that a new login would go to, if it is there. */
export async function configForLogin(
  surroundings: Surroundings,
  configFile: string | undefined,
): Promise<WharfConfig | undefined> {
  try {
    return await readConfigIfAny(surroundings, configFile);
  } catch (cause) {
    // `login -c FILE` makes the file.
    if (isAppError(cause, "CONFIG_NOT_FOUND")) return undefined;
    throw cause;
  }
}

/** Nothing of the login is sent before the certificate is trusted. */
async function proveOrAskForCa(
  context: Context,
  login: EnrollInput,
): Promise<{ readonly proof: LoginProof | undefined; readonly ca: string | undefined }> {
  const { registry } = parseRegistry(login.wish.registry);
  const proveWith = async (ca: string | undefined): Promise<LoginProof | undefined> => {
    const { name, plainHttp, caFile } = login.draft;
    const about = { name, registry, username: login.username, plainHttp, caFile, identityToken: false };
    const client = await clientOf(ca === undefined ? about : { ...about, ca }, login.secret, login.fetch);
    return await prove(() => client.proveLogin(context), login.wish.unproved);
  };
  try {
    return { proof: await proveWith(undefined), ca: undefined };
  } catch (cause) {
    if (!isAppError(cause, "TLS_FAILED") || login.draft.caFile !== undefined) throw cause;
    const offered = await readOfferedCa(context, registry, login.environment);
    if (offered === undefined) throw cause;
    if (login.confirmCa === undefined || !(await login.confirmCa(offered)))
      throw new AppError(
        "TLS_FAILED",
        `the certificate of ${registry} is from a CA that this machine does not trust`,
        {
          hint: `it offers its own, SHA-256 ${offered.fingerprint}; where that is what the server printed, add --ca-fingerprint with it, or give the CA's file with --ca`,
          cause,
        },
      );
    return { proof: await proveWith(offered.pem), ca: offered.pem };
  }
}

async function prove(work: () => Promise<LoginProof>, unproved: boolean): Promise<LoginProof | undefined> {
  try {
    return await work();
  } catch (cause) {
    if (!isAppError(cause, "LOGIN_NOT_PROVED")) throw cause;
    if (unproved) return undefined;
    throw new AppError("LOGIN_NOT_PROVED", cause.message, {
      hint: "check the registry's name; to save it all the same, add --unproved",
      cause,
    });
  }
}
