import type { SecretReader, WharfConfig } from "#logins";
import { ANONYMOUS, type Keychain } from "./contract.ts";
import { loginForImage } from "./login-for-image.ts";

/** The keychain of wharf.yaml: longest path wins. */
export function createConfigKeychain(config: WharfConfig, secrets: Pick<SecretReader, "read">): Keychain {
  return {
    async find(_context, image) {
      const login = loginForImage(config, image);
      if (login === undefined) return ANONYMOUS;
      return {
        username: login.username,
        secret: await secrets.read(login),
        identityToken: login.identityToken,
        from: `login ${login.name} of ${config.path}`,
      };
    },
  };
}
