import { type Context, isAppError } from "#core";
import { besideConfig } from "#logins";
import type { Cluster } from "#places";
import { withFileLock } from "#system";
import type { DeliveredRecord } from "../contract.ts";
import { parseState, readState, recordKey, renderState, writeState } from "../state.ts";

const SAVE_WITHIN_MS = 5_000;

/** What was delivered, kept in the cluster beside the Lease for whoever leads next: a pod's own state goes with the pod. */
export interface KeptState {
  /** Puts what is kept into the state beside the configuration, once. Throws where the cluster cannot be asked. */
  restore(context: Context, configPath: string): Promise<void>;
  /** Keeps the state's records of these places, where they are others than the last time; after the context's end too, within 5 s. */
  save(context: Context, configPath: string, places: ReadonlySet<string>): Promise<void>;
}

/** For one term of leading. Where the role lacks the right, that is said once and nothing is kept: what left meanwhile cannot be pruned then. */
export function createKeptState(
  cluster: Pick<Cluster, "readKept" | "writeKept">,
  lease: { readonly namespace: string | undefined; readonly name: string },
): KeptState {
  const at = { namespace: lease.namespace, name: `${lease.name}-state` };
  let isRestored = false;
  let isDenied = false;
  let last: string | undefined;

  return {
    async restore(context, configPath) {
      if (isRestored) return;
      const kept = await read(context);
      if (kept !== undefined && kept.length > 0)
        await withFileLock(context, `${besideConfig(configPath, "state")}.lock`, async () => {
          const state = await readState(configPath);
          await writeState(configPath, { ...state, records: newest([...state.records, ...kept]) });
        });
      isRestored = true;
    },
    async save(context, configPath, places) {
      // Over what was not read yet nothing is written: it may know more.
      if (!isRestored || isDenied) return;
      const { records } = await readState(configPath);
      const own = records.filter(({ place }) => places.has(place));
      const text = renderState({ records: own, failed: [], restarts: [] });
      if (text === last) return;
      // What has been done must be known, though we end; and before the Lease could be another's (15 s, and 10 s to renew it).
      const lasting = { ...context, signal: AbortSignal.timeout(SAVE_WITHIN_MS) };
      await cluster.writeKept(lasting, at, Buffer.from(text));
      last = text;
    },
  };

  async function read(context: Context): Promise<readonly DeliveredRecord[] | undefined> {
    try {
      const bytes = await cluster.readKept(context, at);
      if (bytes === undefined) return undefined;
      const text = Buffer.from(bytes).toString();
      const { records } = parseState(`the Secret ${at.name}`, text);
      last = text;
      return records;
    } catch (cause) {
      if (!isAppError(cause, "DENIED") && !isAppError(cause, "CONFIG_INVALID")) throw cause;
      isDenied = cause.code === "DENIED";
      context.log.warn("what was delivered before is not known, so what has left wharf.yaml since stays", {
        error: cause,
        hint: isDenied
          ? "apply the roles anew: wharf kube controller, or wharf kube rbac --watch"
          : cause.hint,
      });
      return undefined;
    }
  }
}

/** One record of each entry: what was written last. */
function newest(records: readonly DeliveredRecord[]): readonly DeliveredRecord[] {
  const byKey = new Map<string, DeliveredRecord>();
  for (const record of records) {
    const other = byKey.get(recordKey(record));
    if (other === undefined || other.time < record.time) byKey.set(recordKey(record), record);
  }
  return [...byKey.values()];
}
