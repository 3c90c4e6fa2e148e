import type { Consumer, Target } from "#consumers";
import { type Context, isAppError, toAppError } from "#core";
import { parseReference } from "#oci";
import type { Place } from "#places";
import { askHelper } from "./ask-helper.ts";
import { ANONYMOUS, type Keychain, type KeychainLogin } from "./contract.ts";

/**
 * The keychain of a place: what its programs themselves would send, by their own rules, the first of `consumers` that has a login.
 * A file that does not parse, or may not be read, is passed over, and the log says so. Helpers are run where `helperEnvironment` is given, and one
 * that fails is passed over with a warning too.
 */
export function createMachineKeychain(
  place: Place,
  consumers: readonly Consumer[],
  helperEnvironment?: Readonly<Record<string, string | undefined>>,
): Keychain {
  return {
    async find(context, image) {
      const facts = await place.facts(context);
      for (const consumer of consumers) {
        const answer = consumer.match(await readFiles(context, place, consumer, facts), image, facts);
        if (answer.kind === "broken")
          context.log.warn("login file passed over", { file: answer.file, why: answer.why });
        if (answer.kind === "helper" && helperEnvironment !== undefined) {
          const helped = await tryHelper(context, { name: answer.helper, env: helperEnvironment }, image);
          if (helped !== ANONYMOUS) return helped;
        }
        if (answer.kind !== "login") continue;
        const { username, secret, identityToken, file, key } = answer.match;
        return { username, secret, identityToken, from: `${consumer.name}: ${key} in ${file}` };
      }
      return ANONYMOUS;
    },
  };
}

/** As docker does, which warns and goes on without a login. */
async function tryHelper(
  context: Context,
  helper: Parameters<typeof askHelper>[1],
  image: string,
): Promise<KeychainLogin | typeof ANONYMOUS> {
  try {
    return await askHelper(context, helper, parseReference(image).registry);
  } catch (cause) {
    if (isAppError(cause, "INTERRUPTED")) throw cause;
    const { message } = toAppError(cause);
    context.log.warn("credential helper passed over", { helper: helper.name, why: message });
    return ANONYMOUS;
  }
}

/** Every file that a consumer's reader must see, as far as it is there and this user may read it. Throws what else the place throws. */
async function readFiles(
  context: Context,
  place: Place,
  consumer: Consumer,
  target: Target,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const path of consumer.files(target)) {
    const file = await readAllowed(context, place, path, target);
    if (file !== undefined) files.set(path, file.bytes);
  }
  return files;
}

async function readAllowed(
  context: Context,
  place: Place,
  path: string,
  { home }: Target,
): Promise<{ readonly bytes: Uint8Array } | undefined> {
  try {
    return await place.read(context, path);
  } catch (cause) {
    if (!isAppError(cause, "PERMISSION_DENIED")) throw cause;
    // Of the user's own somebody made it root's; /run/containers is shut on many machines, and there is nothing to be done.
    const level = path.startsWith(`${home}/`) ? "warn" : "info";
    context.log[level]("login file passed over", { file: path, why: "this user may not read it" });
    return undefined;
  }
}
