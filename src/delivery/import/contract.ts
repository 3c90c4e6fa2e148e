import type { LoginProof } from "#client";
import type { AppError, Secret } from "#core";

/** A login that files hold, as it would be in wharf.yaml. */
export interface ImportedLogin {
  readonly name: string;
  /** Canonical `host[:port]`. */
  readonly registry: string;
  readonly path: string | undefined;
  readonly username: string;
  readonly secret: Secret;
  readonly identityToken: boolean;
  /** Where it was found, each place. */
  readonly from: readonly string[];
  /** `new`, or `renews`: wharf.yaml has the login, and the vault another secret. */
  readonly action: "new" | "renews";
}

/** A login that is not taken, and why. */
export interface LeftOut {
  readonly where: string;
  readonly why: string;
  /** The command that does it by hand, or lets it in. */
  readonly hint: string | undefined;
  /** `example`: nobody misses it. `there`: wharf.yaml has it already. */
  readonly kind: "example" | "there" | "unusable" | "short-lived" | "rival";
}

export interface ImportPlan {
  readonly configPath: string;
  readonly logins: readonly ImportedLogin[];
  readonly leftOut: readonly LeftOut[];
  /** Files that could not be read. */
  readonly unread: readonly { readonly path: string; readonly error: AppError }[];
}

/** What became of one login. */
export interface ImportOutcome {
  readonly login: ImportedLogin;
  /** undefined: not asked for, or it failed. */
  readonly proof: LoginProof | undefined;
  /** Why it was not imported; undefined: it was. */
  readonly error: AppError | undefined;
}
