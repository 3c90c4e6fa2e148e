import { createHmac, randomBytes } from "node:crypto";
import type { Catalog, PasswordRow } from "#catalog";
import { AppError, Secret } from "#core";
import { type Clock, hashPassword, verifyPassword } from "#system";
import { createThrottle, renderNetwork } from "./throttle.ts";

const AT_ONCE = 2;
const WAITING = 64;
const WAITING_PER_ADDRESS = 16;
const REMEMBER_MS = 5 * 60_000;
const REMEMBERED = 2_000;
/** Longer ones are refused: hashing cost must not be the sender's choice. */
export const MAX_PASSWORD_CHARS = 256;

/** Checks passwords, the slow way and no oftener than needed. */
export interface PasswordChecker {
  /** The account as it is now. Throws UNAUTHORIZED (one text for wrong and unknown), TOO_MANY_REQUESTS, BUSY. */
  check(username: string, password: string, address: string): Promise<PasswordRow>;
  /** What a check in the last minutes found, while nothing about access has changed since; undefined otherwise. */
  remembered(username: string, password: string): PasswordRow | undefined;
}

interface Remembered {
  readonly mark: number;
  readonly until: number;
  readonly row: PasswordRow;
}

export function createPasswordChecker(catalog: Catalog, clock: Clock): PasswordChecker {
  const throttle = createThrottle(clock);
  // What was checked is remembered under a keyed hash: a dump of memory holds no password.
  const salt = randomBytes(32);
  const known = new Map<string, Remembered>();
  const underWay = new Map<string, Promise<PasswordRow>>();
  const slots = createSlots();
  let dummy: Promise<string> | undefined;

  function keyOf(username: string, password: string): string {
    return createHmac("sha256", salt).update(`${username.length}:${username}:${password}`).digest("base64");
  }

  function remembered(key: string): PasswordRow | undefined {
    const found = known.get(key);
    if (found === undefined) return undefined;
    if (found.mark === catalog.generations.accessMark() && clock.monotonicMs() < found.until)
      return found.row;
    known.delete(key);
    return undefined;
  }

  async function verify(username: string, password: string, address: string): Promise<PasswordRow> {
    const done = throttle.begin(username, address);
    let outcome: "right" | "wrong" | "unknown" = "unknown";
    try {
      // Made by whoever comes first, so that an unknown user costs what a known one does.
      dummy ??= hashPassword(new Secret(randomBytes(16).toString("hex")));
      const nobody = await dummy;
      const leave = await slots.enter(address);
      try {
        const mark = catalog.generations.accessMark();
        const row = catalog.read(() => catalog.users.password(username));
        const isRight = await verifyPassword(new Secret(password), row?.hash ?? nobody);
        if (row?.hash === undefined || !isRight) {
          outcome = "wrong";
          throw wrongLogin();
        }
        outcome = "right";
        if (known.size >= REMEMBERED) known.clear();
        known.set(keyOf(username, password), { mark, until: clock.monotonicMs() + REMEMBER_MS, row });
        return row;
      } finally {
        leave();
      }
    } finally {
      done(outcome);
    }
  }

  return {
    remembered: (username, password) => remembered(keyOf(username, password)),
    check(username, password, address) {
      if (password.length === 0 || password.length > MAX_PASSWORD_CHARS) return Promise.reject(wrongLogin());
      const key = keyOf(username, password);
      const row = remembered(key);
      if (row !== undefined) return Promise.resolve(row);
      // The same login sent many times at once is checked once.
      // Not with a check that began before the account changed: its answer may be of the time before.
      const shared = `${key} ${address} ${catalog.generations.accessMark()}`;
      const running = underWay.get(shared);
      if (running !== undefined) return running;
      const started = verify(username, password, address).finally(() => underWay.delete(shared));
      underWay.set(shared, started);
      return started;
    },
  };
}

/** The one answer to a login that is not right, whatever is wrong with it. */
export function wrongLogin(): AppError {
  return new AppError("UNAUTHORIZED", "the username, password or token is not right", {
    hint: "check for a typing mistake, or make a new token",
  });
}

/** At most AT_ONCE hashes at a time; a bounded queue behind them, with a share for each address (of IPv6: each network). */
function createSlots(): { enter(address: string): Promise<() => void> } {
  const queue: { readonly network: string; readonly start: () => void }[] = [];
  let running = 0;

  function leave(): void {
    running--;
    const next = queue.shift();
    if (next === undefined) return;
    running++;
    next.start();
  }

  return {
    enter(address) {
      if (running < AT_ONCE) {
        running++;
        return Promise.resolve(leave);
      }
      const network = renderNetwork(address);
      const own = queue.filter((entry) => entry.network === network).length;
      if (queue.length >= WAITING || own >= WAITING_PER_ADDRESS)
        return Promise.reject(
          new AppError("BUSY", "too many passwords are being checked at once", {
            hint: "try again in a second, or use a token: tokens need no slow check",
            details: { retryAfterSeconds: 1 },
          }),
        );
      return new Promise((resolve) => queue.push({ network, start: () => resolve(leave) }));
    },
  };
}
