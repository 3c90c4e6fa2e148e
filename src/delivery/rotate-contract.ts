import type { AppError, Secret } from "#core";
import type { Login, Surroundings } from "#logins";
import type { Fetch } from "#system";
import type { TargetOutcome } from "./contract.ts";

/** A registry of ours that makes and revokes tokens of one login's account, by a person's sign-in. */
export interface TokenIssuer {
  /** `http(s)://host[:port]`. */
  readonly url: string;
  /** Id of the token that a secret is; undefined where the registry takes it no more, or where it is a password. */
  readTokenId(secret: Secret): Promise<number | undefined>;
  makeToken(name: string): Promise<{
    readonly tokenId: number;
    readonly secret: Secret;
    readonly expires: Date | undefined;
  }>;
  /** Revokes every token in force of that name. */
  revokeNamed(name: string): Promise<void>;
  /** It is refused from the next request on; no error where it is gone already. */
  revokeToken(tokenId: number): Promise<void>;
}

/** What has just been done; said as it happens. */
export type RotationStage =
  | "begun"
  | "new secret sealed"
  | "proved"
  | "delivered"
  | "waiting"
  | "in use"
  | "old secret revoked"
  | "done";

export interface RotateInput {
  readonly surroundings: Surroundings;
  readonly configPath: string;
  readonly fetch: Fetch;
  /** The registry of ours at a login's host, where this person is signed in to it. */
  findIssuer(login: Login, url?: string): Promise<TokenIssuer | undefined>;
  said(stage: RotationStage, detail?: string): void;
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Do not wait until programs use the new secret: say what remains. */
  readonly noWait: boolean;
  /** Somebody says that the restarts and roll-outs are done. */
  readonly takenUp: boolean;
}

/** Where the new secret comes from. */
export type NewSecret =
  | {
      readonly kind: "given";
      readonly secret: Secret;
      readonly expires: Date | undefined;
      /** Revokes the old one in the end, where it is a registry of ours. */
      readonly issuer: TokenIssuer | undefined;
    }
  | { readonly kind: "issuer"; readonly issuer: TokenIssuer };

/** What is still to be done before the old secret may go. */
export type Remaining =
  | { readonly kind: "target"; readonly place: string; readonly consumer: string; readonly why: string }
  | { readonly kind: "wait"; readonly until: Date; readonly why: string }
  | { readonly kind: "restart"; readonly place: string; readonly consumer: string; readonly of: string }
  /** A folder: somebody carries its files to where they are read. */
  | {
      readonly kind: "roll-out";
      readonly place: string;
      readonly consumer: string;
      /** What must be restarted where they are read. */
      readonly of: string | undefined;
    }
  | { readonly kind: "registry"; readonly error: AppError };

export interface RotationReport {
  readonly login: string;
  readonly isDone: boolean;
  readonly direction: "forward" | "back";
  readonly outcomes: readonly TargetOutcome[];
  readonly remaining: readonly Remaining[];
  /** `revoked` at a registry of ours; `refused`: the registry takes it no more; `still good`: somebody must delete it there. */
  readonly oldSecret: "revoked" | "refused" | "still good" | "unknown" | undefined;
}
