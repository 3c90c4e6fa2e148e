import { type Context, forEachAtOnce, isAppError, parseObjectPath, toAppError } from "#core";
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
 * Tells of logins that end in two weeks or have ended, as Events on the Secrets that hold them: once, and once an hour while it is so. Who
 * may not write Events is told once, and delivers all the same.
 */
export class ExpiryAnnouncer {
  #told = new Map<string, { readonly count: number; readonly time: number }>();
  #isRefused = false;

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
    const written = await forEachAtOnce(due, (one) => this.#announceOne(context, about, one), AT_ONCE);
    return written.filter(Boolean).length;
  }

  async #announceOne(context: Context, about: Announcing, one: Expiring): Promise<boolean> {
    if (this.#isRefused || context.signal.aborted) return false;
    const { now, reporter } = about;
    const count = (this.#told.get(one.key)?.count ?? 0) + 1;
    const { reason, note } = one;
    try {
      const event = { reason, note, action: "Rotate", time: now, count, reporter };
      const isThere = await about.cluster.announce(context, one.path, event);
      if (isThere) this.#told.set(one.key, { count, time: now.getTime() });
      return isThere;
    } catch (cause) {
      if (context.signal.aborted || this.#isRefused) return false;
      const error = toAppError(cause);
      this.#isRefused = isAppError(cause, "DENIED");
      context.log.warn("an expiry could not be announced as an event", { error, hint: error.hint });
      return false;
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
