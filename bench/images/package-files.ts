import { existsSync, lstatSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { mustRun } from "../../test/support/run-program.ts";

/** Where dpkg keeps the list of each package's paths. */
const LISTS = "/var/lib/dpkg/info";
/** Debian's own sections of what an image to develop in is made of, in this order. */
const SECTIONS = ["libs", "libdevel", "python", "perl", "interpreters", "editors", "utils", "devel", "admin"];
/** One huge program is no root file system. */
const MAX_PACKAGE_BYTES = 100e6;

/**
 * What Debian packages of this machine have put below /usr: whole packages, section by section in the order of their names, until their files have
 * `bytes` bytes. The same packages give the same paths. Folders come before what is in them. Throws where there are too few.
 */
export async function choosePackageFiles(bytes: number): Promise<readonly string[]> {
  const chosen = new Set<string>();
  let total = 0;
  for (const name of await listPackages()) {
    if (total >= bytes) break;
    const paths = pathsOf(name).filter((path) => path.startsWith("/usr/") && !chosen.has(path));
    const sizes = paths.map(sizeOf);
    const packageBytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    if (packageBytes > MAX_PACKAGE_BYTES) continue;
    for (const [at, path] of paths.entries()) if (sizes[at] !== undefined) addWithParents(chosen, path);
    total += packageBytes;
  }
  if (total < bytes)
    throw new Error(`the Debian packages of this machine have ${Math.round(total / 1e6)} MB, too few`);
  return [...chosen].sort();
}

/** Names as dpkg's lists have them, in the order in which they are taken. */
async function listPackages(): Promise<readonly string[]> {
  const lines = await mustRun(["dpkg-query", "-W", "-f", "${Section} ${binary:Package}\\n"]);
  const packages = lines
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .map(([section = "", name = ""]) => ({ rank: SECTIONS.indexOf(section), name }))
    .filter(({ rank }) => rank >= 0);
  packages.sort((one, other) => one.rank - other.rank || (one.name < other.name ? -1 : 1));
  return packages.map(({ name }) => name);
}

/** A package without files has no list. */
function pathsOf(name: string): readonly string[] {
  const list = `${LISTS}/${name}.list`;
  return existsSync(list) ? readFileSync(list, "utf8").split("\n") : [];
}

/** Bytes of a file; 0 for folders and symlinks; undefined for what is not there (a site may leave documentation out). */
function sizeOf(path: string): number | undefined {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return undefined;
  if (facts.isFile()) return facts.size;
  return facts.isDirectory() || facts.isSymbolicLink() ? 0 : undefined;
}

function addWithParents(chosen: Set<string>, path: string): void {
  for (let at = path; at !== "/" && !chosen.has(at); at = dirname(at)) chosen.add(at);
}
