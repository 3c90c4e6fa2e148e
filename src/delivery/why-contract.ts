import type { PullProbe } from "#client";
import type { MatchAnswer } from "#consumers";
import type { AppError } from "#core";
import type { DeliveryPlace, Login, WharfConfig } from "#logins";
import type { Fetch } from "#system";
import type { DeliveredRecord } from "./contract.ts";
import type { Expiry } from "./prove-logins.ts";
import type { Inventory, TargetSpec } from "./targets.ts";

/** What one program here would do for an image. */
export interface WhyAnswer {
  readonly consumer: string;
  readonly place: string;
  /** What answers: an entry of a file, a helper, nothing, or a file that the program cannot use. */
  readonly kind: MatchAnswer["kind"];
  readonly file: string | undefined;
  readonly key: string | undefined;
  /** The login of wharf.yaml that this is, where it is one. */
  readonly login: string | undefined;
  readonly username: string | undefined;
  /** What is used in place of the login that wharf.yaml has for this image; undefined where nothing is in its way. */
  readonly shadowedBy: string | undefined;
  /** Everything that the program passed over, in words. */
  readonly shadows: readonly string[];
  /** A login is sent, and it is one that is for this image. */
  readonly covered: boolean;
  /** Why there is no login, or what is broken. */
  readonly why: string | undefined;
  readonly expires: Date | undefined;
  readonly expiry: Expiry;
  /** What the registry says to exactly that; undefined offline, and for helpers, which are not run. */
  readonly pull: PullProbe | undefined;
  /** Why the registry gave no answer. */
  readonly error: AppError | undefined;
  /** What to do; undefined where all is well. */
  readonly advice: string | undefined;
}

export interface WhyInput {
  readonly inventory: Inventory;
  readonly config: WharfConfig | undefined;
  readonly records: readonly DeliveredRecord[];
  /** Another place to look at, with its programs; undefined: this machine, and folders that are delivered to. */
  readonly at?: DeliveryPlace;
  /** Where `at` is a cluster: whose pulls are asked about. */
  readonly pod?: PodQuestion;
  /** undefined: offline. */
  readonly fetch: Fetch | undefined;
  readonly now: Date;
}

/** A program's own answer. */
export interface Seen {
  readonly spec: TargetSpec;
  readonly answer: MatchAnswer;
  readonly delivered: boolean;
  /** Whose pulls they are, where that is less than the place: a pod, a ServiceAccount. */
  readonly of?: string;
  /** Why its files could not be looked at; the answer is `broken` then, its file "" where it is no file's fault. */
  readonly failure?: AppError;
}

/** An answer with what is only needed to ask the registry. */
export interface Draft extends WhyAnswer {
  readonly match: Extract<MatchAnswer, { kind: "login" }>["match"] | undefined;
  readonly known: Login | undefined;
}

/** A pod of a cluster: one that is there, or a new one of a ServiceAccount (`default`), in a namespace (the context's own). */
export interface PodQuestion {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly pod?: string;
}
