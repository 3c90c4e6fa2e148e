import { AppError, type Context, forEachAtOnce, parseObjectPath, toAppError } from "#core";
import type { Cluster } from "#places";
import type { DeliveredRecord } from "../contract.ts";
import type { PlanInput } from "../planning.ts";
import { expiryOf } from "../prove-logins.ts";
import type { Scope } from "./work-queue.ts";

/** As long as the API server keeps an Event: it is written again when it would be forgotten. */
const AGAIN_MS = 3600_000;
const AT_ONCE = 16;

/** What an announcement is made of. */
export interface Announcing {
  readonly cluster: Cluster;
  readonly config: PlanInput["config"];
  /** What is delivered, of the namespaces looked at. */
  readonly records: readonly DeliveredRecord[];
  readonly scope: Scope;
  readonly now: Date;
  readonly reporter: string;
}

interface Expiring {
  readonly key: string;
  readonly path: string;
  readonly reason: "LoginExpired" | "LoginExpiresSoon";
  readonly note: string;
}

/**
 * Tells of logins that end in two weeks or have ended, as Events on the Secrets that hold them: once, and once an hour while it is so. Where
 * Events may not be written that is said once, and tried again in an hour.
 */
export class ExpiryAnnouncer {
  #told = new Map<string, { readonly count: number; readonly time: number }>();
  #isRefusalSaid = false;

  /** How many Events were written. Throws nothing: what failed is tried again with the next look. */
  async announce(context: Context, about: Announcing): Promise<number> {
    // A login may have several entries in one Secret.
    const all = [...new Map(expiringIn(about).map((one) => [one.key, one])).values()];
    // What is delivered no more is forgotten, or a long life would gather it.
    if (about.scope === "all") {
      const keys = new Set(all.map(({ key }) => key));
      this.#told = new Map([...this.#told].filter(([key]) => keys.has(key)));
    }
    const due = all.filter(({ key }) => {
      const told = this.#told.get(key);
      return told === undefined || about.now.getTime() - told.time >= AGAIN_MS;
    });
    const found = await forEachAtOnce(due, (one) => this.#announceOne(context, about, one), AT_ONCE);
    const [error] = found.filter((one) => one instanceof AppError);
    // One word for a thousand Secrets.
    if (error !== undefined && !context.signal.aborted)
      context.log.warn("an expiry could not be announced as an event", { error, hint: error.hint });
    return found.filter((one) => one === "written").length;
  }

  async #announceOne(
    context: Context,
    { cluster, now, reporter }: Announcing,
    one: Expiring,
  ): Promise<"written" | "nothing" | AppError> {
    if (context.signal.aborted) return "nothing";
    const { reason, note } = one;
    const before = this.#told.get(one.key)?.count ?? 0;
    const time = now.getTime();
    try {
      const event = { reason, note, action: "Rotate", time: now, count: before + 1, reporter };
      if (!(await cluster.announce(context, one.path, event))) return "nothing";
      this.#told.set(one.key, { count: before + 1, time });
      return "written";
    } catch (cause) {
      const error = toAppError(cause);
      // The namespace went meanwhile, and its Secret with it.
      if (error.code === "NOT_FOUND") return "nothing";
      if (error.code !== "DENIED") return error;
      this.#told.set(one.key, { count: before, time });
      if (this.#isRefusalSaid) return "nothing";
      this.#isRefusalSaid = true;
      return error;
    }
  }
}

function expiringIn({ config, records, now }: Announcing): readonly Expiring[] {
  return records.flatMap((record): readonly Expiring[] => {
    const expires = config.logins.get(record.login)?.expires;
    const expiry = expiryOf({ expires }, now);
    if (expires === undefined || (expiry !== "expired" && expiry !== "expires soon")) return [];
    if (parseObjectPath(record.file)?.kind !== "secrets") return [];
    const when = expires.toISOString();
    return [
      {
        key: JSON.stringify([record.file, record.login, record.images, expiry, when]),
        path: record.file,
        reason: expiry === "expired" ? "LoginExpired" : "LoginExpiresSoon",
        note: `the login ${record.login} for ${record.images} in this Secret ${
          expiry === "expired" ? "expired" : "expires"
        } on ${when}: give it a new secret with wharf rotate ${record.login}`.slice(0, 1000),
      },
    ];
  });
}
