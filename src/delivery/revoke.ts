import { AppError, type Context } from "#core";
import { applyPlan } from "./apply.ts";
import type { DeliveredRecord, TargetOutcome } from "./contract.ts";
import { planDelivery } from "./plan.ts";
import { Overlay, type PlanInput } from "./planning.ts";
import { groupRecords, planRemovals } from "./prune.ts";
import { referencesOf } from "./references.ts";
import { recordKey } from "./state.ts";

/**
 * Removes every copy of a login that was delivered, changed since or not, with equal copies under Hub's other spellings. Gives what
 * became of each target; those that could not be reached keep their record, so that the same call finishes later. wharf.yaml and
 * vault are not touched. Throws LOGIN_UNKNOWN where neither wharf.yaml nor the state knows it.
 */
export async function revokeCopies(
  context: Context,
  input: PlanInput,
  login: string,
): Promise<readonly TargetOutcome[]> {
  const records = input.records.filter((record) => record.login === login);
  if (records.length === 0 && !input.config.logins.has(login)) {
    const names = new Set([...input.config.logins.keys(), ...input.records.map((record) => record.login)]);
    names.delete("");
    throw new AppError("LOGIN_UNKNOWN", `there is no login ${JSON.stringify(login.slice(0, 60))}`, {
      hint: names.size === 0 ? "no login is known here" : `known are ${[...names].join(", ")}`,
    });
  }
  const known = new Set(records.map(recordKey));
  const found = (await copiesInPlace(context, input, login)).filter((copy) => !known.has(recordKey(copy)));
  const overlay = new Overlay();
  const groups = groupRecords([...records, ...found, ...referencesOf(input.records, records)]);
  const targets = await planRemovals(context, input, groups, { overlay, evenIfChanged: true });
  return await applyPlan(context, input, { targets });
}

/** Copies at the targets of wharf.yaml that are what would be delivered, whether or not the state remembers them. */
async function copiesInPlace(
  context: Context,
  input: PlanInput,
  login: string,
): Promise<readonly DeliveredRecord[]> {
  if (!input.config.logins.has(login)) return [];
  const { targets } = await planDelivery(context, input);
  return targets.flatMap(({ files }) =>
    files.flatMap((file) =>
      file.records.filter(
        (record) =>
          record.login === login &&
          file.changes.some((change) => change.key === record.key && change.action === "keep"),
      ),
    ),
  );
}
