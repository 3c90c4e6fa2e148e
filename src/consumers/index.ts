/** Programs that read logins: for each how it is written to, and how it reads. Pure. `#consumers/docker` and its kin load one alone. */
export { consumers, findConsumer } from "./all.ts";
export type * from "./contract.ts";
export { isCovered, scopeOf } from "./coverage.ts";
