/** The only entry, and the only place that ends the process. */
import { type ProcessFacts, runProcess } from "#cli";

/**
 * Programs of wharf that other programs call under a name of their own (`docker-credential-wharf` …): a link of that name
 * to wharf runs them. Each is loaded only when it was called.
 */
const programs: Readonly<Record<string, (facts: ProcessFacts) => Promise<number>>> = {};

const calledAs = (process.env.WHARF_CALLED_AS ?? process.argv0).split("/").pop() ?? "wharf";
const run = programs[calledAs] ?? runProcess;
process.exit(
  await run({
    args: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    onStop(act) {
      process.on("SIGINT", act);
      process.on("SIGTERM", act);
    },
    exit: (code) => process.exit(code),
  }),
);
