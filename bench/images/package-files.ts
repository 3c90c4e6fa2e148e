import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

/** Where dpkg keeps the list of each package's paths. */
const LISTS = "/var/lib/dpkg/info";
/** One huge program is no root file system. */
const MAX_PACKAGE_BYTES = 100e6;

/**
 * What Debian packages of this machine have put below /usr: whole packages in the order of their names, until their files have `bytes` bytes. The same
 * packages give the same paths. Folders come before what is in them. Throws where there are too few.
 */
export function choosePackageFiles(bytes: number): readonly string[] {
  const chosen = new Set<string>();
  let total = 0;
  for (const name of readdirSync(LISTS).sort()) {
    if (!name.endsWith(".list") || total >= bytes) continue;
    const paths = readFileSync(`${LISTS}/${name}`, "utf8")
      .split("\n")
      .filter((path) => path.startsWith("/usr/") && !chosen.has(path));
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
