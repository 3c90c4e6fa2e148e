/**
 * `npm run bench registry [-- --quick] [--out FILE] [--install-tools]`: measures ours beside the peers, and reports. It fails nothing.
 * `npm run bench soak [-- --minutes N] [--out FILE]`: memory under a moderate load for long.
 * `npm run bench delivery [-- --quick] [--only hosts,clusters,answers,planning] [--hosts N] [--out FILE] [--install-tools]`: ours beside Ansible, pass and kubectl.
 * `npm run bench images [-- --quick] [--only sif,sqsh,unpack,second,served,memory] [--out FILE] [--install-tools]`: ours beside mksquashfs, tar2sqfs and umoci.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { installPrograms } from "../scripts/install-programs.ts";
import { findProgram } from "../test/support/programs.ts";
import { createScratch } from "../test/support/scratch.ts";
import { fullDelivery, quickDelivery } from "./delivery/delivery-row.ts";
import { benchDelivery } from "./delivery/run.ts";
import { fullImages, quickImages } from "./images/image-bench.ts";
import { benchImages } from "./images/run.ts";
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
    only: { type: "string", default: "" },
    minutes: { type: "string", default: "60" },
    hosts: { type: "string" },
  },
});
const [name = ""] = positionals;
if (positionals.length !== 1 || !["registry", "soak", "delivery", "images"].includes(name)) {
  console.error("error: running a benchmark: name one of: registry, soak, delivery, images");
  process.exit(2);
}
const only = values.only.split(",").filter((word) => word !== "");
const minutes = Number(values.minutes);
if (!(minutes >= 0.5)) {
  console.error("error: running a benchmark: --minutes takes a number, 0.5 at least");
  process.exit(2);
}
const hosts = values.hosts === undefined ? undefined : Number(values.hosts);
if (hosts !== undefined && !(Number.isInteger(hosts) && hosts >= 1 && hosts <= 999)) {
  console.error("error: running a benchmark: --hosts takes a number, 1 to 999");
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

const report = await measure();
console.log(report);
// A part of a table is no report.
const file =
  values.out ??
  (values.quick || values.only !== "" || hosts !== undefined
    ? undefined
    : join(root, "docs", "benchmarks", `${name}.md`));
if (file !== undefined) {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, report);
}

async function measure(): Promise<string> {
  if (name === "registry") return await measureRegistry();
  if (name === "images") return await measureImages();
  return name === "soak" ? await soak() : await measureDelivery();
}

function measureImages(): Promise<string> {
  return withCopy((program) => benchImages(root, program, values.quick ? quickImages : fullImages, only));
}

function measureDelivery(): Promise<string> {
  const settings = values.quick ? quickDelivery : fullDelivery;
  return withCopy((program) =>
    benchDelivery(root, program, { ...settings, ...(hosts === undefined ? {} : { hosts }) }, only),
  );
}

function measureRegistry(): Promise<string> {
  return benchRegistry(root, [executable], values.quick ? quickSettings : fullSettings);
}

function soak(): Promise<string> {
  return withCopy((program) => benchSoak(root, [program], minutes, (line) => console.error(line)));
}

/** With a copy of the executable: another build may come while it runs. */
async function withCopy(use: (program: string) => Promise<string>): Promise<string> {
  const scratch = createScratch("program");
  try {
    const copy = scratch.at("wharf");
    copyFileSync(executable, copy);
    return await use(copy);
  } finally {
    scratch.remove();
  }
}
