import { AppError, type Context, isAppError, parseName, type Secret, toAppError } from "#core";
import {
  besideConfig,
  type Login,
  type Rotation,
  type RotationIssuer,
  readConfig,
  saveRotation,
  type WharfConfig,
} from "#logins";
import { withFileLock } from "#system";
import { openDelivery } from "./open-delivery.ts";
import type { PlanInput } from "./planning.ts";
import { clientOf } from "./prove-logins.ts";
import type { NewSecret, Remaining, RotateInput, RotationReport, TokenIssuer } from "./rotate-contract.ts";
import { deliverRotated, waitForEffects } from "./rotate-delivery.ts";

/**
 * Gives a login a new secret, everywhere, and revokes the old one when nothing uses it any more: sealed beside the old one, proved,
 * delivered, waited for, then the old one revoked. Every step is in the vault's journal before the next begins, so that it may be
 * killed at any moment; `resumeRotation` goes on. Throws LOGIN_UNKNOWN, CONFLICT where one is under way, USAGE where the secret is not
 * in the vault, LOGIN_REFUSED for a new secret that is no good (then nothing was changed).
 */
export async function beginRotation(
  context: Context,
  input: RotateInput,
  name: string,
  fresh: NewSecret,
): Promise<RotationReport> {
  return await withRotationLock(context, input, name, () => begin(context, input, name, fresh));
}

async function begin(
  context: Context,
  input: RotateInput,
  name: string,
  fresh: NewSecret,
): Promise<RotationReport> {
  const { config, delivery, login } = await open(context, input, name);
  const old = await delivery.secrets.read(login);
  const rotation: Rotation = {
    registry: login.registry,
    username: login.username,
    startedAt: new Date(input.now()).toISOString(),
    direction: "forward",
    leaving: undefined,
    leavingExpires: login.expires?.toISOString(),
    issuer: undefined,
    deliveredAt: undefined,
  };
  const save = async (secret: Secret, expires: Date | undefined, next: Rotation): Promise<void> => {
    const step = { login, secret, expires, rotation: next, isFirst: true };
    await saveRotation(context, input.surroundings, config.path, step);
  };
  if (fresh.kind === "given") {
    if (fresh.secret.equals(old))
      throw new AppError("INVALID_INPUT", "that is the secret that the login has already");
    const proof = await proveSecret(context, input, login, fresh.secret);
    const issuer =
      fresh.issuer === undefined
        ? undefined
        : {
            url: fresh.issuer.url,
            tokenName: "",
            stayingTokenId: await fresh.issuer.readTokenId(fresh.secret),
            leavingTokenId: await fresh.issuer.readTokenId(old),
          };
    await save(fresh.secret, fresh.expires ?? proof.expiresAt, { ...rotation, leaving: old, issuer });
    input.said("new secret sealed");
  } else {
    const issuer: RotationIssuer = {
      url: fresh.issuer.url,
      tokenName: `${name.slice(0, 60)} ${crypto.randomUUID().slice(0, 8)}`,
      stayingTokenId: undefined,
      leavingTokenId: await fresh.issuer.readTokenId(old),
    };
    // Before the token is made: one that nobody holds must be found again.
    await save(old, login.expires, { ...rotation, issuer });
    input.said("begun");
  }
  return await goOn(context, input, name);
}

/** Goes on with a rotation, in its direction. Throws NOT_FOUND where none is under way, BUSY where another process is at it. */
export async function resumeRotation(
  context: Context,
  input: RotateInput,
  name: string,
): Promise<RotationReport> {
  return await withRotationLock(context, input, name, () => goOn(context, input, name));
}

async function goOn(context: Context, input: RotateInput, name: string): Promise<RotationReport> {
  let { rotation, config, login, delivery } = await openRotation(context, input, name);
  const report = (
    more: Partial<Omit<RotationReport, "login" | "direction">> & Pick<RotationReport, "remaining">,
  ): RotationReport => ({
    login: name,
    direction: rotation.direction,
    isDone: false,
    outcomes: [],
    oldSecret: undefined,
    ...more,
  });
  const save = async (next: Rotation, secret: Secret, expires: Date | undefined): Promise<void> => {
    const step = { login, secret, expires, rotation: next };
    await saveRotation(context, input.surroundings, config.path, step);
    ({ rotation, config, login, delivery } = await openRotation(context, input, name));
  };

  if (rotation.leaving === undefined) {
    const issuer = await issuerOf(input, login, rotation);
    await issuer.revokeNamed(rotation.issuer?.tokenName ?? "");
    const made = await issuer.makeToken(rotation.issuer?.tokenName ?? "");
    const known =
      rotation.issuer === undefined ? undefined : { ...rotation.issuer, stayingTokenId: made.tokenId };
    const leaving = await delivery.secrets.read(login);
    await save({ ...rotation, leaving, issuer: known }, made.secret, made.expires);
    input.said("new secret sealed");
  }
  const secret = await delivery.secrets.read(login);
  const unproved = await proofFault(context, input, login, secret);
  if (unproved !== undefined) return report({ remaining: [{ kind: "registry", error: unproved }] });
  input.said("proved");

  const delivered = await deliverRotated(context, delivery, name);
  const { outcomes } = delivered;
  if (delivered.remaining.length > 0) return report({ outcomes, remaining: delivered.remaining });
  if (rotation.deliveredAt === undefined || delivered.hasWritten)
    await save({ ...rotation, deliveredAt: new Date(input.now()).toISOString() }, secret, login.expires);
  input.said("delivered");

  const sinceMs = rotation.deliveredAt === undefined ? input.now() : Date.parse(rotation.deliveredAt);
  // Whoever said that the restarts are done cannot have meant what was written just now.
  const takenUp = input.takenUp && !delivered.hasWritten;
  const about = { delivery, login: name, sinceMs };
  const remaining = await waitForEffects(context, { ...input, takenUp }, about);
  if (remaining.length > 0) return report({ outcomes, remaining });
  input.said("in use");

  // Somebody may have changed something while it was waited.
  const again = await deliverRotated(context, await reopen(context, input), name);
  if (again.hasWritten)
    await save({ ...rotation, deliveredAt: new Date(input.now()).toISOString() }, secret, login.expires);
  if (again.remaining.length > 0 || again.hasWritten)
    return report({
      outcomes: [...outcomes, ...again.outcomes],
      remaining: [...again.remaining, ...(again.hasWritten ? changedMeanwhile(input, again.written) : [])],
    });
  const lost = await proofFault(context, input, login, secret);
  if (lost !== undefined) return report({ outcomes, remaining: [{ kind: "registry", error: lost }] });

  const oldSecret = await revokeLeaving(context, input, login, rotation);
  if (oldSecret === "revoked") input.said("old secret revoked");
  const over = { login, secret, expires: login.expires, rotation: undefined };
  await saveRotation(context, input.surroundings, config.path, over);
  input.said("done");
  return report({ isDone: true, outcomes, remaining: [], oldSecret });
}

/**
 * Turns a rotation round: the secret that was to leave stays, and is delivered everywhere again; the other one leaves. Then it goes on
 * as any rotation. One that has made nothing yet is dropped. Throws LOGIN_REFUSED where that secret is no good any more; it can go on then.
 */
export async function turnRotation(
  context: Context,
  input: RotateInput,
  name: string,
): Promise<RotationReport> {
  return await withRotationLock(context, input, name, () => turn(context, input, name));
}

async function turn(context: Context, input: RotateInput, name: string): Promise<RotationReport> {
  const { rotation, config, login, delivery } = await openRotation(context, input, name);
  const secret = await delivery.secrets.read(login);
  const { surroundings } = input;
  if (rotation.leaving === undefined) {
    const issuer = await issuerOf(input, login, rotation);
    await issuer.revokeNamed(rotation.issuer?.tokenName ?? "");
    await saveRotation(context, surroundings, config.path, {
      login,
      secret,
      expires: login.expires,
      rotation: undefined,
    });
    input.said("done");
    return {
      login: name,
      isDone: true,
      direction: "back",
      outcomes: [],
      remaining: [],
      oldSecret: undefined,
    };
  }
  if (rotation.direction === "forward") {
    const { issuer, leavingExpires } = rotation;
    // Revoked already, or ended: going back would break every target.
    await proveSecret(context, input, login, rotation.leaving);
    await saveRotation(context, surroundings, config.path, {
      login,
      secret: rotation.leaving,
      expires: leavingExpires === undefined ? undefined : new Date(leavingExpires),
      rotation: {
        ...rotation,
        direction: "back",
        leaving: secret,
        leavingExpires: login.expires?.toISOString(),
        deliveredAt: undefined,
        issuer:
          issuer === undefined
            ? undefined
            : { ...issuer, stayingTokenId: issuer.leavingTokenId, leavingTokenId: issuer.stayingTokenId },
      },
    });
  }
  return await goOn(context, input, name);
}

/** One process turns one login's secret; a killed one lets go. Throws BUSY. */
async function withRotationLock<T>(
  context: Context,
  input: RotateInput,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  // The name of a login is a file's name too, where it is one at all.
  parseName("login", name);
  return await withFileLock(context, `${besideConfig(input.configPath, "vault")}.rotate-${name}.lock`, work);
}

interface Open {
  readonly config: WharfConfig;
  readonly delivery: PlanInput;
  readonly login: Login;
}

/** Read anew after each step: the secret that stays is the vault's. */
async function open(context: Context, input: RotateInput, name: string): Promise<Open> {
  const delivery = await reopen(context, input);
  const { config } = delivery;
  const login = config.logins.get(name);
  if (login === undefined)
    throw new AppError("LOGIN_UNKNOWN", `there is no login ${JSON.stringify(name.slice(0, 60))}`, {
      hint:
        config.logins.size === 0
          ? "no login is known here"
          : `known are ${[...config.logins.keys()].join(", ")}`,
    });
  if (login.source.kind !== "vault")
    throw new AppError("USAGE", `the secret of ${name} is not in the vault`, {
      hint: `change it where it comes from (${login.source.kind}:), then \`wharf apply\``,
    });
  return { config, delivery, login };
}

async function reopen(context: Context, input: RotateInput): Promise<PlanInput> {
  const config = await readConfig(input.surroundings, input.configPath);
  return await openDelivery(context, input.surroundings, config, true);
}

async function openRotation(
  context: Context,
  input: RotateInput,
  name: string,
): Promise<Open & { readonly rotation: Rotation }> {
  const opened = await open(context, input, name);
  const rotation = (await opened.delivery.secrets.vault())?.rotations.get(name);
  if (rotation === undefined)
    throw new AppError("NOT_FOUND", `no rotation of ${name} is under way`, {
      hint: `begin one: \`wharf rotate ${name}\``,
    });
  return { ...opened, rotation };
}

async function issuerOf(input: RotateInput, login: Login, rotation: Rotation): Promise<TokenIssuer> {
  const issuer = await input.findIssuer(login, rotation.issuer?.url);
  if (issuer !== undefined) return issuer;
  throw new AppError("UNAUTHORIZED", `you are not signed in to ${rotation.issuer?.url ?? login.registry}`, {
    hint: `\`wharf sign-in ${rotation.issuer?.url ?? login.registry}\`, then \`wharf rotate ${login.name} --continue\``,
  });
}

async function proveSecret(context: Context, input: RotateInput, login: Login, secret: Secret) {
  return await (await clientOf(login, secret, input.fetch)).proveLogin(context);
}

/** Why the secret that stays is not shown to be good; the rotation stops there and can go on. */
async function proofFault(
  context: Context,
  input: RotateInput,
  login: Login,
  secret: Secret,
): Promise<AppError | undefined> {
  try {
    await proveSecret(context, input, login, secret);
    return undefined;
  } catch (cause) {
    if (isAppError(cause, "INTERRUPTED")) throw cause;
    return toAppError(cause);
  }
}

function changedMeanwhile(
  input: RotateInput,
  written: readonly { readonly place: string; readonly consumer: string }[],
): readonly Remaining[] {
  return written.map(({ place, consumer }) => ({
    kind: "target",
    place,
    consumer,
    why: `somebody changed it while it was waited (${new Date(input.now()).toISOString()}); it has the new secret again`,
  }));
}

async function revokeLeaving(
  context: Context,
  input: RotateInput,
  login: Login,
  rotation: Rotation,
): Promise<RotationReport["oldSecret"]> {
  const { leaving, issuer } = rotation;
  if (issuer?.leavingTokenId !== undefined) {
    await (await issuerOf(input, login, rotation)).revokeToken(issuer.leavingTokenId);
    return "revoked";
  }
  if (leaving === undefined) return undefined;
  const fault = await proofFault(context, input, login, leaving);
  if (fault === undefined) return "still good";
  return fault.code === "LOGIN_REFUSED" ? "refused" : "unknown";
}
