import type { Scratch } from "../../test/support/scratch.ts";
import type { RootFileSystem } from "./root-file-system.ts";

export interface ImageSettings {
  readonly rounds: number;
  /** Of the root file system, before compression. */
  readonly rootBytes: number;
  /** Of the image whose memory is measured, before compression. */
  readonly bigBytes: number;
  /** Second pulls, each a sample. */
  readonly pulls: number;
}

export const fullImages: ImageSettings = { rounds: 3, rootBytes: 1.03e9, bigBytes: 10e9, pulls: 21 };
/** To see that the benchmark itself works: its figures say nothing. */
export const quickImages: ImageSettings = { rounds: 1, rootBytes: 60e6, bigBytes: 200e6, pulls: 3 };

/** What a measure is given. */
export interface ImageBench {
  /** A folder of its own. */
  readonly scratch: Scratch;
  /** Path of the executable. */
  readonly wharf: string;
  readonly settings: ImageSettings;
  /** The same for all measures; made when the first one asks. */
  readonly rootFileSystem: () => Promise<RootFileSystem>;
  /** Versions of the peers that were measured, for the report. */
  readonly versions: Map<string, string>;
  /** A line on the terminal: what goes on, and who is left out. */
  readonly say: (line: string) => void;
}
