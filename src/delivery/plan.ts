import { isDeepStrictEqual } from "node:util";
import type { FileDocument, Merged, Refusal, Warning } from "#consumers";
import { type AppError, type Context, forEachAtOnce, toAppError } from "#core";
import type { DeliveredRecord, FilePlan, Plan, PlannedChange, TargetPlan } from "./contract.ts";
import { createReadBack, currentMark, type ReadBack, stillOurs, wholeMark } from "./current-mark.ts";
import { PlaceIndex } from "./place-index.ts";
import { actionOf, heldWarnings, type Opened, Overlay, type PlanInput, type Prepared } from "./planning.ts";
import { prepareTarget } from "./prepare.ts";
import { planPrunes } from "./prune.ts";
import { expiryWarnings, shadowedLogins } from "./read-back.ts";
import { joinByPlace, type PlacePart, splitByPlace } from "./split-by-place.ts";
import { createMarker, type Marker, recordKey } from "./state.ts";

/**
 * What would change, at every target, and why. Reads places, writes nothing. One target's failure is its own (`error`); a vault
 * that cannot be opened throws.
 */
export async function planDelivery(context: Context, input: PlanInput): Promise<Plan> {
  const parts = splitByPlace(input);
  return {
    targets: joinByPlace(input, parts, await forEachAtOnce(parts, (part) => planPlace(context, part))),
  };
}

/**
 * The plan of one place, which no other has to wait for: its targets in their order, as several may share a file, then what left.
 * `isApplied`: it is carried out at once, so that writing finds what makes it impossible.
 */
export async function planPlace(
  context: Context,
  { input, specs }: PlacePart,
  isApplied = false,
): Promise<readonly TargetPlan[]> {
  const prepared = await forEachAtOnce(specs, (spec) => prepareTarget(context, input, spec));
  const overlay = new Overlay();
  const index = new PlaceIndex(input.records, prepared);
  const known = new Map(input.records.map((record) => [recordKey(record), record]));
  const mark = input.markKey === undefined ? undefined : createMarker(input.markKey);
  const targets: TargetPlan[] = [];
  for (const one of prepared)
    targets.push(await planTarget(context, { ...input, known, index, isApplied, mark }, one, overlay));
  return [...targets, ...(await planPrunes(context, input, { index, overlay }))];
}

/** A place's own records, by key and by file. */
interface Indexed extends PlanInput {
  readonly known: ReadonlyMap<string, DeliveredRecord>;
  readonly index: PlaceIndex;
  readonly isApplied: boolean;
  readonly mark: Marker | undefined;
}

async function planTarget(
  context: Context,
  input: Indexed,
  one: Prepared,
  overlay: Overlay,
): Promise<TargetPlan> {
  const target = { consumer: one.spec.consumer, place: one.spec.at.text, user: one.spec.user };
  const failure = (error: AppError | undefined): TargetPlan => ({
    ...target,
    files: [],
    refusals: one.refusals,
    warnings: one.warnings,
    shadowed: [],
    error,
  });
  const { opened } = one;
  if (opened === undefined) return failure(one.error);
  const files: FilePlan[] = [];
  const refusals: Refusal[] = [...one.refusals];
  const warnings: Warning[] = [...one.warnings];
  // Asked only where an entry has changed; one reading serves all of the target's files.
  const readBack = createReadBack(context, opened);
  try {
    for (const document of one.documents) {
      const current = await overlay.read(context, opened.place, document.path);
      const owned = await ownedKeys(input, { one, readBack, document, current });
      const merge = (bytes: Uint8Array | undefined): Merged =>
        opened.consumer.merge(bytes, document, owned.keys);
      const merged = merge(current);
      overlay.set(opened.place, document.path, merged.content);
      refusals.push(...merged.refusals);
      warnings.push(...owned.warnings, ...merged.warnings);
      const action = actionOf(current, merged.content);
      const tightens = merged.content !== undefined && (await isTooWide(context, opened, document));
      if (tightens)
        warnings.push({
          kind: "danger",
          message: `${document.path} can be read by others, which apply mends`,
          hint: "who could read it may have its secrets: think of replacing them",
        });
      files.push({
        path: document.path,
        action: action === "none" && tightens ? "update" : action,
        changes: await withCauses(input, { one, readBack, document, merged, current }),
        mode: document.mode,
        tightens,
        folderMode: document.folderMode,
        merge,
        records: recordsOf(input, one, document, merged),
        forgets: owned.forgets,
      });
    }
    if (!input.isApplied) await refuseOpenFolders(context, opened, files);
    warnings.push(...heldWarnings(input.index, one), ...expiryWarnings(input, one));
    const refused = new Set(refusals.map((refusal) => refusal.login));
    const shadowed = await shadowedLogins(context, opened, one, { overlay, refused });
    return {
      ...target,
      files,
      refusals: distinct(refusals),
      warnings: distinct(warnings),
      shadowed,
      error: undefined,
    };
  } catch (cause) {
    return failure(toAppError(cause));
  }
}

/** What apply would refuse to write, so that the plan says it. */
async function refuseOpenFolders(
  context: Context,
  { place }: Opened,
  files: readonly FilePlan[],
): Promise<void> {
  const secret = files.filter(
    ({ action, mode }) => (action === "create" || action === "update") && (mode & 0o077) === 0,
  );
  await Promise.all(secret.map(({ path }) => place.refuseOpen?.(context, path)));
}

async function isTooWide(context: Context, opened: Opened, document: FileDocument): Promise<boolean> {
  if (document.entries.length === 0) return false;
  const found = await opened.place.read(context, document.path);
  return found !== undefined && (found.mode & ~document.mode & 0o777) !== 0;
}

/**
 * Keys of a file that we wrote and may change or remove: not those that another target wants there, nor those of a login that is
 * refused now, or whose secret is out of reach, unless the document wants the key for another. `forgets` are those that this
 * document does not want any more.
 */
async function ownedKeys(
  input: Indexed,
  step: {
    readonly one: Prepared;
    readonly readBack: ReadBack;
    readonly document: FileDocument;
    readonly current: Uint8Array | undefined;
  },
): Promise<{
  readonly keys: ReadonlySet<string>;
  readonly forgets: readonly string[];
  readonly warnings: readonly Warning[];
}> {
  const { one, document } = step;
  const { index } = input;
  const others = index.keysOfOthers(one, document.path);
  const wanted = new Set(document.entries.map((entry) => entry.key));
  const isWhole = document.entries.length === 0 && document.body !== undefined;
  const records = index
    .recordsIn(one.spec.user, document.path)
    .filter(
      (record) => !others.has(record.key) && (wanted.has(record.key) || isWhole || !index.isHeld(record)),
    );
  const gone = isWhole ? [] : records.filter((record) => !wanted.has(record.key));
  const ours = await stillOurs(step.readBack, gone, { current: step.current, markKey: input.markKey });
  const kept = records.filter((record) => isWhole || wanted.has(record.key)).map((record) => record.key);
  return {
    keys: new Set([...kept, ...ours.keys]),
    forgets: gone.map((record) => record.key),
    warnings: ours.warnings,
  };
}

async function withCauses(
  input: Indexed,
  step: {
    readonly one: Prepared;
    readonly readBack: ReadBack;
    readonly document: FileDocument;
    readonly merged: Merged;
    readonly current: Uint8Array | undefined;
  },
): Promise<readonly PlannedChange[]> {
  const { one, readBack, document, current } = step;
  const changes: PlannedChange[] = [];
  for (const change of step.merged.changes) {
    if (change.action === "keep" && change.login !== undefined) {
      changes.push({ ...change, cause: undefined });
      continue;
    }
    const record = recordAt(input, one, document.path, change.key);
    // A merge knows the keys that go, not whose they were.
    const login = change.login ?? (record?.login === "" ? undefined : record?.login);
    changes.push({ ...change, login, cause: await causeOf() });

    async function causeOf(): Promise<PlannedChange["cause"]> {
      if (change.action === "keep") return undefined;
      if (record === undefined) return "new";
      if (change.action === "remove") return "gone here";
      if (change.action === "add") return "changed there";
      if (input.markKey === undefined) return "changed here";
      const mark = await currentMark(readBack, record, { current, markKey: input.markKey });
      return mark === undefined || mark === record.mark ? "changed here" : "changed there";
    }
  }
  return changes;
}

/** What the state will say of this file: the very same record where it says so already. A time changes only with its mark. */
function recordsOf(
  input: Indexed,
  one: Prepared,
  document: FileDocument,
  merged: Merged,
): readonly DeliveredRecord[] {
  if (input.mark === undefined) return [];
  const { mark: markOf } = input;
  const at = {
    place: one.spec.at.text,
    user: one.spec.user,
    consumer: one.spec.consumer,
    file: document.path,
  };
  const options = Object.keys(one.spec.options).length === 0 ? undefined : one.spec.options;
  return merged.changes
    .filter((change) => change.action !== "remove")
    .map((change): DeliveredRecord => {
      const login = change.login === undefined ? undefined : one.logins.get(change.login);
      const mark =
        login === undefined
          ? wholeMark(markOf, { ...at, key: change.key }, document.body ?? "")
          : markOf({ ...at, key: change.key }, login);
      const known = recordAt(input, one, document.path, change.key);
      const name = change.login ?? "";
      const images = login?.images ?? "";
      const isKnown =
        known?.mark === mark &&
        known.consumer === at.consumer &&
        known.login === name &&
        known.images === images &&
        isDeepStrictEqual(known.options, options);
      if (isKnown) return known;
      return {
        ...at,
        key: change.key,
        login: name,
        images,
        mark,
        time: known?.mark === mark ? known.time : input.now.toISOString(),
        ...(options === undefined ? {} : { options }),
      };
    });
}

function recordAt(input: Indexed, one: Prepared, file: string, key: string): DeliveredRecord | undefined {
  return input.known.get(recordKey({ place: one.spec.at.text, user: one.spec.user, file, key }));
}

/** Two documents of one file bring the same refusal twice. */
function distinct<T extends Refusal | Warning>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
