/** Logins from files and programs into wharf.yaml and the vault. */
export { applyImport } from "./apply-import.ts";
export type { ImportOutcome, ImportPlan, LeftOut } from "./contract.ts";
export { planImport, refuseNothing } from "./plan-import.ts";
