/** How a row of the seeds is shown to work. */
export interface ProofRow {
  readonly row: string;
  /** What works. */
  readonly works: string;
  /** What it was shown against: a real program, its own library, golden files, or only tests of our own. */
  readonly against: string;
  /** The tests, in the repository. A test checks that they are there. */
  readonly tests: readonly string[];
}

export const proofRows: readonly ProofRow[] = [];
