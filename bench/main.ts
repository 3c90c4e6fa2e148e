/**
 * `npm run bench registry [-- --quick] [--out FILE] [--install-tools]`: measures ours beside the peers, and reports. It fails nothing.
 * `npm run bench soak [-- --minutes N] [--out FILE]`: memory under a moderate load for long.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { installPrograms } from "../scripts/install-programs.ts";
import { findProgram } from "../test/support/programs.ts";
import { createScratch } from "../test/support/scratch.ts";
import { benchRegistry } from "./registry/run.ts";
import { fullSettings, quickSettings } from "./registry/server.ts";
import { benchSoak } from "./soak/run.ts";

const root = join(import.meta.dir, "..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    "install-tools": { type: "boolean", default: false },
    out: { type: "string" },
    minutes: { type: "string", default: "60" },
  },
});
const [name] = positionals;
if (positionals.length !== 1 || (name !== "registry" && name !== "soak")) {
  console.error("error: running a benchmark: name one of: registry, soak");
  process.exit(2);
}
const minutes = Number(values.minutes);
if (!(minutes >= 0.5)) {
  console.error("error: running a benchmark: --minutes takes a number, 0.5 at least");
  process.exit(2);
}
if (values["install-tools"]) await installPrograms({ bench: true });
for (const tool of name === "registry" ? ["wrk", "curl", "openssl"] : []) {
  if (findProgram(tool) !== undefined) continue;
  console.error(`error: running a benchmark: ${tool} makes the load, and it is not on this machine`);
  console.error("hint: npm run bench registry -- --install-tools");
  process.exit(1);
}
const executable = join(root, "dist", "wharf");
const build = Bun.spawn([process.execPath, join(root, "scripts", "build.ts")], {
  stdio: ["ignore", "ignore", "inherit"],
});
if ((await build.exited) !== 0) process.exit(1);

const report = name === "registry" ? await measureRegistry() : await soak();
console.log(report);
const file = values.out ?? (values.quick ? undefined : join(root, "docs", "benchmarks", `${name}.md`));
if (file !== undefined) {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, report);
}

function measureRegistry(): Promise<string> {
  return benchRegistry(root, [executable], values.quick ? quickSettings : fullSettings);
}

/** With a copy of the executable: another build may come while it runs. */
async function soak(): Promise<string> {
  const scratch = createScratch("soak-program");
  try {
    const copy = scratch.at("wharf");
    copyFileSync(executable, copy);
    return await benchSoak(root, [copy], minutes, (line) => console.error(line));
  } finally {
    scratch.remove();
  }
}
