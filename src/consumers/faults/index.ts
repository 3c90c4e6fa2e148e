/** Known mistakes in the files and command lines of every consumer: bytes to findings, and the mended text. Pure. */
export { type ExaminedCluster, findClusterFaults } from "./cluster-faults.ts";
export type { ExaminedFile, Fault, Reader } from "./contract.ts";
export { type FaultCode, faultTable } from "./fault-table.ts";
export { findFaults } from "./find-faults.ts";
export { type LineChange, lineChanges } from "./line-changes.ts";
export { loginKeys } from "./login-keys.ts";
export { type Mended, mendText } from "./mend-text.ts";
