import type { Scratch } from "../../test/support/scratch.ts";
import type { PeerRow } from "../peer-row.ts";

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

export type DeliveryMeasure = (bench: DeliveryBench) => Promise<readonly PeerRow[]>;
