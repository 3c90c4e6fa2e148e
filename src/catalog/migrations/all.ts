import type { Migration } from "../migrate.ts";
import { accounts } from "./0001-accounts.ts";

/** Every step of the schema, in order. */
export const migrations: readonly Migration[] = [accounts];
