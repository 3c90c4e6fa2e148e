import type { Consumer, FileDocument, Refusal, Target, Warning } from "#consumers";
import type { AppError, Context, Secret } from "#core";
import type { SecretReader, WharfConfig } from "#logins";
import type { Place } from "#places";
import type { DeliveredRecord, FilePlan } from "./contract.ts";
import type { PlaceIndex } from "./place-index.ts";
import type { Inventory, TargetSpec } from "./targets.ts";

/** What planning needs; `now` stamps the records. */
export interface PlanInput {
  readonly config: WharfConfig;
  readonly secrets: SecretReader;
  readonly records: readonly DeliveredRecord[];
  /** Key of the vault that marks are made under; undefined where there is no vault yet: then nothing is known to be drift. */
  readonly markKey: Secret | undefined;
  readonly inventory: Inventory;
  readonly now: Date;
}

/** A target whose place is open. */
export interface Opened {
  readonly consumer: Consumer;
  readonly place: Place;
  readonly target: Target;
}

/** A target with its documents compiled. */
export interface Prepared {
  readonly spec: TargetSpec;
  readonly opened: Opened | undefined;
  readonly documents: readonly FileDocument[];
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly Warning[];
  /** Logins by name, as they were compiled; the secret is what the program will send. */
  readonly logins: ReadonlyMap<
    string,
    {
      readonly username: string;
      readonly secret: Secret;
      readonly images: string;
      readonly expires: Date | undefined;
    }
  >;
  /** Logins that stay where they are: refused here, or their secret could not be had now. */
  readonly untouched: ReadonlySet<string>;
  readonly error: AppError | undefined;
}

/** What files will be after the changes planned so far: two targets may share one. */
export class Overlay {
  readonly #files = new Map<string, Uint8Array | undefined>();

  async read(context: Context, place: Place, path: string): Promise<Uint8Array | undefined> {
    const key = overlayKey(place, path);
    if (this.#files.has(key)) return this.#files.get(key);
    return (await place.read(context, path))?.bytes;
  }

  set(place: Place, path: string, bytes: Uint8Array | undefined): void {
    this.#files.set(overlayKey(place, path), bytes);
  }
}

function overlayKey({ name }: Place, path: string): string {
  return `${name}\u0000${path}`;
}

/** What a file's change amounts to. */
export function actionOf(before: Uint8Array | undefined, after: Uint8Array | undefined): FilePlan["action"] {
  if (before === undefined) return after === undefined ? "none" : "create";
  if (after === undefined) return "remove";
  return before === after || Buffer.compare(before, after) === 0 ? "none" : "update";
}

/** What to say of logins that were delivered to a target and are refused there now. */
export function heldWarnings(index: PlaceIndex, one: Prepared): readonly Warning[] {
  if (one.untouched.size === 0) return [];
  const wanted = new Set(
    one.documents.flatMap(({ path, entries }) => entries.map(({ key }) => JSON.stringify([path, key]))),
  );
  return index
    .recordsOf(one)
    .filter(
      (record) => one.untouched.has(record.login) && !wanted.has(JSON.stringify([record.file, record.key])),
    )
    .map((record) => ({
      kind: "format",
      login: record.login,
      message: `${record.key} in ${record.file} stays as it was delivered, until the refusal is mended`,
      hint: `to take it away now, take ${record.login} out of this delivery`,
    }));
}
