import type { VaultPassword } from "#ansible";
import type { Secret } from "#core";

/** A file that may hold logins. */
export interface FileOfLogins {
  /** As it is shown. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** For Ansible Vault; empty: what is encrypted is passed over. */
  readonly vaultPasswords: readonly VaultPassword[];
}

/** A login that a file holds. */
export interface FoundLogin {
  /** Canonical `host[:port]`, Hub folded to `docker.io`. */
  readonly registry: string;
  readonly path: string | undefined;
  readonly username: string;
  /** A file that a command line reads it from, as written there (`$HOME/token`). */
  readonly secret: Secret | { readonly file: string };
  readonly identityToken: boolean;
  /** `FILE:LINE`, or `FILE: KEY`. */
  readonly where: string;
}

/** A login that is there and cannot be taken. */
export interface Unusable {
  readonly where: string;
  /** Never a secret. */
  readonly why: string;
  /** The `wharf` command that does it by hand, where one does. */
  readonly command?: string;
  /** It only stands for a login (`<password>`): nobody misses it. */
  readonly isExample?: boolean;
}

export interface FoundLogins {
  readonly logins: readonly FoundLogin[];
  readonly unusable: readonly Unusable[];
  /** Other files of logins that a command line names (`--from-file=.dockerconfigjson=FILE`), as written there. */
  readonly references: readonly { readonly file: string; readonly where: string }[];
}

/** What of a login is known before its registry is looked at. */
export interface RawLogin {
  readonly registry: string;
  readonly username: string;
  readonly secret: Secret | { readonly file: string };
  readonly identityToken?: boolean;
  readonly where: string;
}
