/** Delivery: which logins go to which program at which place; plan, apply, check, revoke, and why a program uses what it uses. */
export { applyPlan } from "./apply.ts";
export type * from "./contract.ts";
export { createInventory } from "./inventory.ts";
export { openDelivery } from "./open-delivery.ts";
export { planDelivery } from "./plan.ts";
export type { PlanInput } from "./planning.ts";
export { type Proposal, proposeDeliveries } from "./propose.ts";
export { readState } from "./state.ts";
export type { Inventory } from "./targets.ts";
