/** Known mistakes in files of this machine and of places, and their mending. */
export type { Examination, FileReport, Mending } from "./contract.ts";
export { examineFiles } from "./examine-files.ts";
export { examinePlace } from "./examine-place.ts";
