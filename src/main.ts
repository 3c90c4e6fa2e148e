/** The only entry, and the only place that ends the process. */
import type { ProcessFacts } from "#cli";

/**
 * Programs of wharf that other programs call under a name of their own (`docker-credential-wharf` …): a link of that name
 * to wharf runs them. Each is loaded only when it was called.
 */
const programs: Readonly<Record<string, () => Promise<(facts: ProcessFacts) => Promise<number>>>> = {
  "docker-credential-wharf": async () => (await import("#programs")).runCredentialHelper,
  // `wharf serve` starts it for its work in the background.
  "wharf-jobs": async () => (await import("#cli")).runJobsProcess,
  "wharf-kubelet-provider": async () => (await import("#programs")).runKubeletProvider,
  "wharf-pyxis-importer": async () => {
    const { runProcess } = await import("#cli");
    return (facts) => runProcess({ ...facts, args: ["pyxis-importer", ...facts.args] });
  },
};

// From source the launcher says how it was called; the executable knows it by itself.
const calledAs = process.env.WHARF_CALLED_AS ?? process.argv0;
// The launcher's own words are not for programs that wharf starts.
delete process.env.WHARF_CALLED_AS;
delete process.env.BUN_RUNTIME_TRANSPILER_CACHE_PATH;
const env = { ...process.env };
const load = programs[calledAs.split("/").pop() ?? ""] ?? (async () => (await import("#cli")).runProcess);
const run = await load();
process.exit(
  await run({
    args: process.argv.slice(2),
    env,
    cwd: process.cwd(),
    calledAs,
    onStop(act) {
      process.on("SIGINT", act);
      process.on("SIGTERM", act);
    },
    exit: (code) => process.exit(code),
  }),
);
