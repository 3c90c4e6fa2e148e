import type { Verdict } from "./registry/row.ts";

/** Somebody else's figure for the same work in the same run. */
export interface PeerFigure {
  readonly peer: string;
  readonly value: number;
}

/** One line of a report; figures are medians. */
export interface PeerRow {
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

export function atMostMs(found: number, limitMs: number): Verdict {
  return { met: found <= limitMs, words: `${found.toFixed(found < 10 ? 1 : 0)} ms` };
}

/** A peer's time divided by ours: how many times faster we are. */
export function timesFaster(ours: number, peer: PeerFigure | undefined, factor: number): Verdict | undefined {
  if (peer === undefined || ours === 0) return undefined;
  const ratio = peer.value / ours;
  return { met: ratio >= factor, words: `${ratio.toFixed(ratio >= 10 ? 1 : 2)} × ${peer.peer}` };
}
