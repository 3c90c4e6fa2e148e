import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { findProgram, goProgramPath, repository } from "../test/support/programs.ts";
import { type RealProgram, realPrograms } from "../test/support/real-programs.ts";

/** Installs the real programs that are missing; throws when one of them cannot be had. `bench` takes those of benchmarks too. */
export async function installPrograms(options: { readonly bench?: boolean } = {}): Promise<void> {
  const wanted = realPrograms.filter((program) => options.bench === true || program.benchOnly !== true);
  const missing = wanted.filter((program) => findProgram(program.name) === undefined);
  await installDebianPackages([
    ...new Set(missing.flatMap(({ from }) => (from.kind === "debian" ? [from.package] : []))),
  ]);
  // One after the other: each build takes all cores and up to two gigabytes by itself.
  for (const program of missing) if (program.from.kind !== "debian") await buildGoProgram(program);
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
  await run([...asRoot, "sh", script, ...packages]);
}

async function buildGoProgram(program: RealProgram): Promise<void> {
  const path = goProgramPath(program);
  const { from } = program;
  if (from.kind === "debian" || path === undefined) return;
  if (Bun.which("go") === null) {
    throw new Error(`building ${program.name} needs Go 1.26 or newer, and there is none on PATH`);
  }
  const started = performance.now();
  console.log(`building ${program.name} ${from.version} ...`);
  const folder = dirname(path);
  // Built beside, then renamed: a build cut short leaves no half program behind.
  const part = `${folder}.part-${process.pid}`;
  mkdirSync(part, { recursive: true });
  try {
    if (from.kind === "own-go") {
      const output = join(part, program.name);
      await run(["go", "build", "-buildvcs=false", "-trimpath", "-ldflags", from.flags, "-o", output, "."], {
        cwd: join(repository, from.folder),
        env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" },
      });
    } else {
      const target = from.command === "" ? from.module : `${from.module}/${from.command}`;
      await run(["go", "install", `${target}@${from.version}`], {
        env: { GOBIN: part, GOFLAGS: "-trimpath" },
      });
      // Two versions of a program have two names here.
      const built = basename(from.command);
      if (built !== "" && built !== program.name) renameSync(join(part, built), join(part, program.name));
    }
    if (!existsSync(folder)) renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  console.log(`built ${program.name} in ${Math.round((performance.now() - started) / 1000)} s`);
}

interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function run(command: readonly string[], { cwd, env }: Surroundings = {}): Promise<void> {
  const child = Bun.spawn([...command], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code === 0) return;
  throw new Error(`${command.join(" ")} failed with ${code}:\n${`${out}${err}`.slice(-4000)}`);
}
