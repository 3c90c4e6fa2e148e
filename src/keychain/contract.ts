import type { Context, Secret } from "#core";

/** A login as it is sent to a registry. */
export interface KeychainLogin {
  readonly username: string;
  readonly secret: Secret;
  /** The secret is an OAuth2 identity token. */
  readonly identityToken: boolean;
  /** Where it was found: `login ngc of wharf.yaml`, or a program's file and key. For messages. */
  readonly from: string;
}

/** What a keychain answers where no login is for the image: it is to be pulled without one. */
export const ANONYMOUS = "anonymous";

/** Image in, login or ANONYMOUS out. */
export interface Keychain {
  /** Throws INVALID_INPUT for what is no image, and what the source of a secret throws; never because there is no login. */
  find(context: Context, image: string): Promise<KeychainLogin | typeof ANONYMOUS>;
}
