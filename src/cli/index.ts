/** The commands of `wharf`: what each says of itself, and how it is run. */
export type * from "./command.ts";
export { createCommandTable, globalOptions } from "./command-table.ts";
export { groups, sections } from "./commands.ts";
export { renderOptionSummary, renderUsage } from "./render-help.ts";
export { type CommandLine, runCommandLine } from "./run.ts";
export { runJobsProcess } from "./run-jobs-process.ts";
export { type ProcessFacts, runProcess } from "./run-process.ts";
