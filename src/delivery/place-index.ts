import type { DeliveredRecord } from "./contract.ts";
import type { Prepared } from "./planning.ts";

/**
 * What planning asks of one place for each of its files, found by key: a cluster has thousands of files, each with records, and looking
 * through all of them for each would be their square. All records and targets must be of one place.
 */
export class PlaceIndex {
  readonly #records: ReadonlyMap<string, readonly DeliveredRecord[]>;
  readonly #all: readonly DeliveredRecord[];
  /** Asked for where a login is held back, which is seldom. */
  #consumerRecords: ReadonlyMap<string, readonly DeliveredRecord[]> | undefined;
  readonly #targets: ReadonlyMap<string, readonly Prepared[]>;
  readonly #wanting: ReadonlyMap<string, readonly Wanting[]>;

  constructor(records: readonly DeliveredRecord[], prepared: readonly Prepared[]) {
    this.#records = Map.groupBy(records, ({ user, file }) => keyOf(user, file));
    this.#all = records;
    this.#targets = Map.groupBy(prepared, ({ spec }) => keyOf(spec.user, spec.consumer));
    this.#wanting = Map.groupBy(
      prepared.flatMap((one) =>
        one.documents.map(({ path, entries }) => ({ one, path, keys: entries.map(({ key }) => key) })),
      ),
      ({ one, path }) => keyOf(one.spec.user, path),
    );
  }

  /** What is ours in a file of that user. */
  recordsIn(user: string | undefined, file: string): readonly DeliveredRecord[] {
    return this.#records.get(keyOf(user, file)) ?? [];
  }

  /** What was delivered to the program of this target. */
  recordsOf({ spec }: Prepared): readonly DeliveredRecord[] {
    this.#consumerRecords ??= Map.groupBy(this.#all, ({ user, consumer }) => keyOf(user, consumer));
    return this.#consumerRecords.get(keyOf(spec.user, spec.consumer)) ?? [];
  }

  /** Keys that other targets of that user want in a file. */
  keysOfOthers(one: Prepared, file: string): ReadonlySet<string> {
    const wanting = this.#wanting.get(keyOf(one.spec.user, file)) ?? [];
    if (wanting.length === 1 && wanting[0]?.one === one) return NOTHING;
    return new Set(wanting.filter((other) => other.one !== one).flatMap(({ keys }) => keys));
  }

  /** Does a delivery write to the file of this record now. */
  isTouched(record: DeliveredRecord): boolean {
    return this.#wanting.has(keyOf(record.user, record.file));
  }

  /**
   * Is what this record names to stay as it is, although no document asks for it: its target failed, or its login is refused there. A
   * refusal is no wish to take away what works; only what left wharf.yaml goes. Certificates name no login, and stay with any of them.
   */
  isHeld(record: DeliveredRecord): boolean {
    const targets = this.#targets.get(keyOf(record.user, record.consumer)) ?? [];
    return targets.some(
      ({ error, untouched }) =>
        error !== undefined || untouched.has(record.login) || (record.login === "" && untouched.size > 0),
    );
  }
}

const NOTHING: ReadonlySet<string> = new Set();

interface Wanting {
  readonly one: Prepared;
  readonly path: string;
  readonly keys: readonly string[];
}

function keyOf(user: string | undefined, what: string): string {
  return `${user ?? ""}\u0000${what}`;
}
