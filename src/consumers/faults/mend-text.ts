import type { ExaminedFile, Fault } from "./contract.ts";
import { findFaults } from "./find-faults.ts";

/** What was mended, one after the other, and the file as it is then. */
export interface Mended {
  readonly bytes: Uint8Array;
  readonly done: readonly { readonly fault: Fault; readonly says: string }[];
  /** Faults that a person has to decide. */
  readonly left: readonly Fault[];
}

/** More mendings than any file has entries: only a rule at odds with another would need them. */
const MAX_STEPS = 500;

/**
 * Mends one fault after the other, each on what the one before made, so that no edit rests on an outdated place. A mending that leaves
 * its own fault there is not taken. Pure. Mode bits are not looked at.
 */
export function mendText(file: ExaminedFile): Mended {
  const done: { fault: Fault; says: string }[] = [];
  const refused = new Set<string>();
  let bytes = file.bytes;
  let faults = findFaults({ ...file, bytes });
  for (let step = 0; step < MAX_STEPS; step++) {
    const next = faults.find((fault) => fault.mend !== undefined && !refused.has(keyOf(fault)));
    if (next?.mend === undefined) break;
    const after = new TextEncoder().encode(next.mend.apply());
    const rest = findFaults({ ...file, bytes: after });
    const isBetter = rest.length < faults.length || !rest.some((fault) => keyOf(fault) === keyOf(next));
    if (!isBetter) {
      refused.add(keyOf(next));
      continue;
    }
    done.push({ fault: next, says: next.mend.says });
    bytes = after;
    faults = rest;
  }
  return { bytes, done, left: faults };
}

function keyOf(fault: Fault): string {
  return `${fault.code} ${fault.message}`;
}
