import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { findProgram, goProgramPath } from "../test/support/programs.ts";
import { type RealProgram, realPrograms } from "../test/support/real-programs.ts";

/** Installs the real programs that are missing; throws when one of them cannot be had. `bench` takes those of benchmarks too. */
export async function installPrograms(options: { readonly bench?: boolean } = {}): Promise<void> {
  const wanted = realPrograms.filter((program) => options.bench === true || program.benchOnly !== true);
  const missing = wanted.filter((program) => findProgram(program.name) === undefined);
  await installDebianPackages([
    ...new Set(missing.flatMap(({ from }) => (from.kind === "debian" ? [from.package] : []))),
  ]);
  // One after the other: each build takes all cores and up to two gigabytes by itself.
  for (const program of missing) if (program.from.kind === "go") await buildGoProgram(program);
  const absent = wanted.filter((program) => findProgram(program.name) === undefined);
  if (absent.length > 0) {
    throw new Error(`installed, and still missing: ${absent.map((program) => program.name).join(", ")}`);
  }
}

async function installDebianPackages(packages: readonly string[]): Promise<void> {
  if (packages.length === 0) return;
  if (Bun.which("apt-get") === null) {
    throw new Error(`no apt-get here; install these yourself: ${packages.join(" ")}`);
  }
  console.log(`installing Debian packages: ${packages.join(" ")} ...`);
  const script = join(import.meta.dir, "install-packages.sh");
  const asRoot = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  await run([...asRoot, "sh", script, ...packages], {});
}

async function buildGoProgram(program: RealProgram): Promise<void> {
  const path = goProgramPath(program);
  if (program.from.kind !== "go" || path === undefined) return;
  if (Bun.which("go") === null) {
    throw new Error(`building ${program.name} needs Go 1.24 or newer, and there is none on PATH`);
  }
  const { module, command, version } = program.from;
  const started = performance.now();
  console.log(`building ${program.name} ${version} ...`);
  const folder = dirname(path);
  // Built beside, then renamed: a build cut short leaves no half program behind.
  const part = `${folder}.part-${process.pid}`;
  mkdirSync(part, { recursive: true });
  try {
    const target = command === "" ? module : `${module}/${command}`;
    await run(["go", "install", `${target}@${version}`], {
      GOBIN: part,
      GOFLAGS: "-trimpath",
    });
    if (!existsSync(folder)) renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  console.log(`built ${program.name} in ${Math.round((performance.now() - started) / 1000)} s`);
}

async function run(command: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  const child = Bun.spawn([...command], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code === 0) return;
  throw new Error(`${command.join(" ")} failed with ${code}:\n${`${out}${err}`.slice(-4000)}`);
}
