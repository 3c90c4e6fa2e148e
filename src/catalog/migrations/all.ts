import type { Migration } from "../migrate.ts";
import { accounts } from "./0001-accounts.ts";
import { content } from "./0002-content.ts";
import { jobs } from "./0003-jobs.ts";

/** Every step of the schema, in order. */
export const migrations: readonly Migration[] = [accounts, content, jobs];
