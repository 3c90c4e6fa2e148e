import type { Scratch } from "../../test/support/scratch.ts";
import type { Verdict } from "../registry/row.ts";

/** Somebody else's figure for the same work in the same run. */
export interface PeerFigure {
  readonly peer: string;
  readonly value: number;
}

/** One line of the report; figures are medians. */
export interface DeliveryRow {
  readonly work: string;
  readonly unit: string;
  readonly decimals: number;
  /** undefined where it could not be measured here; then `verdict` is undefined too. */
  readonly wharf: number | undefined;
  readonly peers: readonly PeerFigure[];
  readonly goal: string;
  /** undefined where nobody is there to compare with. */
  readonly verdict: Verdict | undefined;
}

export interface DeliverySettings {
  readonly rounds: number;
  /** Runs of a short program, each a sample. */
  readonly starts: number;
  readonly hosts: number;
  readonly namespaces: number;
}

export const fullDelivery: DeliverySettings = { rounds: 3, starts: 21, hosts: 200, namespaces: 1000 };
/** To see that the benchmark itself works: its figures say nothing. */
export const quickDelivery: DeliverySettings = { rounds: 1, starts: 3, hosts: 10, namespaces: 20 };

/** What a measure is given. */
export interface DeliveryBench {
  /** A folder of its own. */
  readonly scratch: Scratch;
  /** Path of the executable. */
  readonly wharf: string;
  readonly settings: DeliverySettings;
  /** Versions of the peers that were measured, for the report. */
  readonly versions: Map<string, string>;
  /** A line on the terminal: what goes on, and who is left out. */
  readonly say: (line: string) => void;
}

export type DeliveryMeasure = (bench: DeliveryBench) => Promise<readonly DeliveryRow[]>;

export function atMostMs(found: number, limitMs: number): Verdict {
  return { met: found <= limitMs, words: `${found.toFixed(found < 10 ? 1 : 0)} ms` };
}

/** A peer's time divided by ours: how many times faster we are. */
export function timesFaster(ours: number, peer: PeerFigure | undefined, factor: number): Verdict | undefined {
  if (peer === undefined || ours === 0) return undefined;
  const ratio = peer.value / ours;
  return { met: ratio >= factor, words: `${ratio.toFixed(ratio >= 10 ? 1 : 2)} × ${peer.peer}` };
}
