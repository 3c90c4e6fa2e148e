import type { FileDocument, Merged, Warning } from "#consumers";
import { type Context, forEachByGroup, toAppError } from "#core";
import { type DeliveryPlace, parsePlace } from "#logins";
import type { DeliveredRecord, FilePlan, PlannedChange, TargetPlan } from "./contract.ts";
import { createReadBack, stillOurs } from "./current-mark.ts";
import { targetOf } from "./inventory.ts";
import type { PlaceIndex } from "./place-index.ts";
import { actionOf, type Overlay, type PlanInput } from "./planning.ts";
import { consumerNamed, isFleet } from "./targets.ts";
import { withVaultPasswords } from "./vault-passwords.ts";

const NOTHING: Merged = { content: undefined, changes: [], warnings: [], refusals: [] };

/**
 * Removals of what was delivered and is in wharf.yaml no more, in files that no delivery touches now. What somebody changed since is
 * theirs: it stays, with a warning. Targets that failed, and logins that are refused or whose secret is out of reach, are left as they are.
 * `input` and `index` are one place's.
 */
export async function planPrunes(
  context: Context,
  input: PlanInput,
  step: { readonly index: PlaceIndex; readonly overlay: Overlay },
): Promise<readonly TargetPlan[]> {
  const { index, overlay } = step;
  const left = input.records.filter(
    (record) => !index.isTouched(record) && !index.isHeld(record) && !isHostUnknown(input, record),
  );
  return await planRemovals(context, input, groupRecords(left), { overlay });
}

/** `planRemoval` for each group of records, places at once. */
export async function planRemovals(
  context: Context,
  input: PlanInput,
  groups: readonly (readonly DeliveredRecord[])[],
  step: { readonly overlay: Overlay; readonly evenIfChanged?: boolean },
): Promise<readonly TargetPlan[]> {
  return await forEachByGroup(
    groups,
    ([first]) => first?.place ?? "",
    (records) => planRemoval(context, input, { ...step, records }),
  );
}

/** Takes exactly these records' entries from their files. All must be of one place, user and consumer. */
async function planRemoval(
  context: Context,
  input: PlanInput,
  step: {
    readonly records: readonly DeliveredRecord[];
    readonly overlay: Overlay;
    readonly evenIfChanged?: boolean;
  },
): Promise<TargetPlan> {
  const [first] = step.records;
  const target = { consumer: first?.consumer ?? "", place: first?.place ?? "", user: first?.user };
  const files: FilePlan[] = [];
  const warnings: Warning[] = [];
  try {
    const consumer = consumerNamed(input.inventory.consumers, target.consumer);
    const place = await input.inventory.openPlace(context, placeFor(input, target.place), target.user);
    const found = await targetOf(context, place, consumer, {});
    // Where its file is encrypted, it has to be opened as it was written.
    const options = first?.options;
    const there =
      options === undefined || consumer.emptyDocument === undefined
        ? found
        : await withVaultPasswords(input.secrets, { ...found, options });
    const opened = { consumer, place, target: there };
    const readBack = createReadBack(context, opened);
    for (const [path, records] of Map.groupBy(step.records, (record) => record.file)) {
      const current = await step.overlay.read(context, place, path);
      const markKey = step.evenIfChanged === true ? undefined : input.markKey;
      const ours = await stillOurs(readBack, records, { current, markKey });
      warnings.push(...ours.warnings);
      const merge = (bytes: Uint8Array | undefined): Merged =>
        bytes === undefined
          ? NOTHING
          : consumer.merge(
              bytes,
              consumer.emptyDocument?.(path, opened.target) ?? emptyDocument(path),
              ours.keys,
            );
      const merged = merge(current);
      step.overlay.set(place, path, merged.content);
      files.push({
        path,
        action: actionOf(current, merged.content),
        changes: merged.changes.map(
          (change): PlannedChange => ({
            ...change,
            login: records.find((record) => record.key === change.key)?.login,
            cause: "gone here",
          }),
        ),
        mode: 0o600,
        tightens: false,
        folderMode: 0o700,
        merge,
        records: [],
        forgets: records.map((record) => record.key),
      });
    }
    return { ...target, files, refusals: [], warnings, shadowed: [], error: undefined };
  } catch (cause) {
    return { ...target, files: [], refusals: [], warnings, shadowed: [], error: toAppError(cause) };
  }
}

/** Where a list of hosts could not be had, nobody can tell which hosts have left it. */
function isHostUnknown({ config }: Pick<PlanInput, "config">, { place }: DeliveredRecord): boolean {
  return config.deliveries.some(
    ({ at }) =>
      ("error" in at && at.error !== undefined && at.kind === "hosts" && place.startsWith("ssh://")) ||
      (isFleet(at) && at.error !== undefined && place.startsWith(`${at.kind}://`)),
  );
}

/** The place that a record names. A folder of wharf.yaml is taken from that file's own folder. */
export function placeFor(input: Pick<PlanInput, "config">, text: string): DeliveryPlace {
  const known = input.config.deliveries.find((delivery) => delivery.at.text === text)?.at;
  if (known !== undefined && known.kind !== "ssh" && !isFleet(known)) return known;
  return parsePlace(text, (folder) => folder);
}

/** Records, by place, user and consumer. */
export function groupRecords(records: readonly DeliveredRecord[]): readonly (readonly DeliveredRecord[])[] {
  return [
    ...Map.groupBy(records, (record) =>
      JSON.stringify([record.place, record.user ?? "", record.consumer]),
    ).values(),
  ];
}

/** Merging it removes the keys that are ours, and nothing else. */
function emptyDocument(path: string): FileDocument {
  return { kind: "file", path, mode: 0o600, folderMode: 0o700, entries: [] };
}
