import { podman } from "#consumers/podman";
import { AppError } from "#core";
import { readFileLimited } from "#system";
import { ANONYMOUS, type Keychain } from "./contract.ts";

/** More logins than a site has. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * The keychain of one auth file by Podman's rules: the longest key that covers the image, by whole segments. Throws CONFIG_NOT_FOUND where it
 * is not there, and FILE_INVALID where it is broken: whoever named it means it.
 */
export function createAuthFileKeychain(path: string): Keychain {
  const target = { home: "/", user: "root", uid: 0, env: {}, options: { file: path } };
  return {
    async find(_context, image) {
      const bytes = await readFileLimited(path, MAX_BYTES);
      if (bytes === undefined) throw new AppError("CONFIG_NOT_FOUND", `there is no ${path}`);
      const answer = podman.match(new Map([[path, bytes]]), image, target);
      if (answer.kind === "broken") throw new AppError("FILE_INVALID", `${path}: ${answer.why}`);
      if (answer.kind !== "login") return ANONYMOUS;
      const { username, secret, identityToken, key } = answer.match;
      return { username, secret, identityToken, from: `${key} in ${path}` };
    },
  };
}
