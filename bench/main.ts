/** `npm run bench registry [-- --quick] [--out FILE] [--install-tools]`: measures ours beside the peers, and reports. It fails nothing. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { installPrograms } from "../scripts/install-programs.ts";
import { findProgram } from "../test/support/programs.ts";
import { benchRegistry } from "./registry/run.ts";
import { fullSettings, quickSettings } from "./registry/server.ts";

const root = join(import.meta.dir, "..");
const args = process.argv.slice(2);
const outAt = args.indexOf("--out");
const out = outAt === -1 ? undefined : args[outAt + 1];
const names = args.filter((arg, index) => !arg.startsWith("--") && (outAt === -1 || index !== outAt + 1));
if (names.length !== 1 || names[0] !== "registry") {
  console.error("error: running a benchmark: name one of: registry");
  process.exit(2);
}
if (args.includes("--install-tools")) await installPrograms({ bench: true });
for (const name of ["wrk", "curl", "openssl"]) {
  if (findProgram(name) !== undefined) continue;
  console.error(`error: running a benchmark: ${name} makes the load, and it is not on this machine`);
  console.error("hint: npm run bench registry -- --install-tools");
  process.exit(1);
}
const executable = join(root, "dist", "wharf");
const build = Bun.spawn([process.execPath, join(root, "scripts", "build.ts")], {
  stdio: ["ignore", "ignore", "inherit"],
});
if ((await build.exited) !== 0) process.exit(1);

const quick = args.includes("--quick");
const report = await benchRegistry(root, [executable], quick ? quickSettings : fullSettings);
console.log(report);
const file = out ?? (quick ? undefined : join(root, "docs", "benchmarks", "registry.md"));
if (file !== undefined) {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, report);
}
