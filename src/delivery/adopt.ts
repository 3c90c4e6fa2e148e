import type { Context } from "#core";
import { besideConfig } from "#logins";
import { withFileLock } from "#system";
import type { DeliveredRecord, Plan } from "./contract.ts";
import { planDelivery } from "./plan.ts";
import type { PlanInput } from "./planning.ts";
import { readState, recordKey, writeState } from "./state.ts";

/** An entry that is not what would be delivered, so that nobody can say whose it is. */
export interface Unadopted {
  readonly consumer: string;
  readonly place: string;
  readonly user: string | undefined;
  readonly file: string;
  readonly key: string;
  readonly login: string | undefined;
  /** `missing`: nothing is there. `other`: something else is there. */
  readonly why: "missing" | "other";
}

export interface AdoptReport {
  readonly plan: Plan;
  /** What the state knows now and did not know, or knew otherwise. */
  readonly adopted: readonly DeliveredRecord[];
  /** What it knew before as it is. */
  readonly known: number;
  readonly left: readonly Unadopted[];
}

/**
 * Rebuilds a lost state from the targets: what lies there exactly as wharf.yaml and vault would deliver it counts as delivered by us.
 * Everything else stays foreign, whoever wrote it; nothing is written at any target. What left wharf.yaml before cannot be found.
 */
export async function adoptDelivery(context: Context, input: PlanInput): Promise<AdoptReport> {
  const { path } = input.config;
  return await withFileLock(context, `${besideConfig(path, "state")}.lock`, async () => {
    const plan = await planDelivery(context, input);
    const { records, ...rest } = await readState(path);
    const state = new Map(records.map((record) => [recordKey(record), record]));
    const adopted: DeliveredRecord[] = [];
    const left: Unadopted[] = [];
    let known = 0;
    for (const { consumer, place, user, files } of plan.targets)
      for (const file of files) {
        const changes = new Map(file.changes.map((change) => [change.key, change]));
        for (const record of file.records) {
          const change = changes.get(record.key);
          if (change === undefined || change.action === "keep") {
            const before = state.get(recordKey(record));
            if (before?.mark === record.mark && before.login === record.login) known++;
            else adopted.push(record);
            state.set(recordKey(record), record);
          } else {
            const why = change.action === "add" ? "missing" : "other";
            const { key } = record;
            left.push({ consumer, place, user, file: file.path, key, login: change.login, why });
          }
        }
      }
    await writeState(path, { ...rest, records: [...state.values()] });
    return { plan, adopted, known, left };
  });
}
