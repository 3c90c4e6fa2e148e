/** Work in the background, under leases, in a process of its own. */
export { runJobs } from "./run-jobs.ts";
export { type JobSupervisor, superviseJobs } from "./supervise.ts";
