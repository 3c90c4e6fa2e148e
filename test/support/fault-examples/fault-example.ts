/** A mistake in a small file of its shape, and the file without it. */
export interface FaultExample {
  /** Of the fault table. */
  readonly code: string;
  readonly path: string;
  readonly wrong: string;
  /** As it should be; the mended file is exactly this where `mends`. */
  readonly right: string;
  readonly mends?: boolean;
  readonly mode?: number;
  readonly curl?: string;
}
