import { test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type RealProgram, realPrograms } from "./real-programs.ts";

/** A test as `bun:test` writes it: name, body, time limit in milliseconds. */
export type Test = (name: string, body: () => void | Promise<void>, timeoutMs?: number) => void;

/** The folder that holds the Go programs, one folder for each version. */
export function toolFolder(): string {
  return process.env.WHARF_TEST_CACHE ?? join(homedir(), ".cache", "wharf-test-tools");
}

/** Where a program of the table lies when it is installed from source. */
export function goProgramPath(program: RealProgram): string | undefined {
  const { from, name } = program;
  if (from.kind === "debian") return undefined;
  const suffix = from.kind === "own-go" ? `-${markOf(join(repository, from.folder), from.flags)}` : "";
  return join(toolFolder(), `${name}-${from.version}${suffix}`, name);
}

/** The repository's own folder. */
export const repository = join(import.meta.dir, "../..");

/** Another source is another program: a mark of all that it is built from. */
function markOf(folder: string, flags: string): string {
  const hash = createHash("sha256").update(flags);
  for (const name of readdirSync(folder).sort())
    if (/\.go$|^go\.(?:mod|sum)$/.test(name)) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest("hex").slice(0, 12);
}

/** The absolute path of a real program; undefined when it is not on this machine. Throws for one that nothing would install. */
export function findProgram(name: string): string | undefined {
  const program = realPrograms.find((candidate) => candidate.name === name);
  // It may be here by chance; a fresh machine would miss it.
  if (program === undefined) throw new Error(`${name} has no row in test/support/real-programs.ts`);
  const built = goProgramPath(program);
  if (built !== undefined) return existsSync(built) ? built : undefined;
  // Daemons live in sbin, which a person's PATH may lack; Lmod where its own start-up script looks.
  const path = `${process.env.PATH ?? ""}:/usr/sbin:/sbin:/usr/share/lmod/lmod/libexec`;
  return Bun.which(name, { PATH: path }) ?? undefined;
}

/** As `findProgram`; throws when it is missing. For the bodies of tests that said `needs(name)`. */
export function programPath(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

/**
 * A test that runs where these real programs are. Elsewhere it is a skip with its reason in its name, which
 * `npm test` counts and prints; with CI=true it is a failure.
 */
export function needs(...names: readonly string[]): Test {
  const missing = names.filter((name) => findProgram(name) === undefined);
  return needsThat(missing.length === 0, `needs ${missing.join(", ")}`);
}

/** As `needs`, for a condition of the machine: `needsThat(process.getuid?.() === 0, "needs root")`. */
export function needsThat(isThere: boolean, reason: string): Test {
  if (isThere) return test;
  if (process.env.CI === "true") {
    return (name) => {
      test(name, () => {
        throw new Error(`${reason}, and CI=true forbids to skip it; npm test -- --install-tools installs it`);
      });
    };
  }
  return (name) => {
    test.skip(`${name} [skipped: ${reason}]`, () => undefined);
  };
}
