import type { Consumer, Target } from "#consumers";
import type { Context } from "#core";
import type { Place } from "#places";
import { ANONYMOUS, type Keychain } from "./contract.ts";

/**
 * The keychain of a place: what its programs themselves would send, by their own rules, the first of `consumers` that has a login.
 * A file that does not parse is passed over, with a warning in the log. Helpers are not run.
 */
export function createMachineKeychain(place: Place, consumers: readonly Consumer[]): Keychain {
  return {
    async find(context, image) {
      const facts = await place.facts(context);
      for (const consumer of consumers) {
        const answer = consumer.match(await readFiles(context, place, consumer, facts), image, facts);
        if (answer.kind === "broken")
          context.log.warn("login file passed over", { file: answer.file, why: answer.why });
        if (answer.kind !== "login") continue;
        const { username, secret, identityToken, file, key } = answer.match;
        return { username, secret, identityToken, from: `${consumer.name}: ${key} in ${file}` };
      }
      return ANONYMOUS;
    },
  };
}

/** Every file that a consumer's reader must see, as far as it is there. Throws what the place throws. */
async function readFiles(
  context: Context,
  place: Place,
  consumer: Consumer,
  target: Target,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const path of consumer.files(target)) {
    const file = await place.read(context, path);
    if (file !== undefined) files.set(path, file.bytes);
  }
  return files;
}
