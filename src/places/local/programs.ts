import { AppError } from "#core";
import { hashFile, isThere, readFileLimited } from "#system";
import type { ProgramPlace, WriteOptions } from "../contract.ts";

const OPTIONS: WriteOptions = { mode: 0o755, folderMode: 0o755 };
/** As `uname -m` says it. */
const MACHINES: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/** The executable on this machine: a copy of it, so that it stays what was delivered. `write` is the place's own. */
export function createLocalPrograms(
  write: (path: string, bytes: Uint8Array, options: WriteOptions) => Promise<void>,
): ProgramPlace {
  return {
    async requireFit(_context, { path, machine, loader }) {
      const here = MACHINES[process.arch] ?? process.arch;
      if (process.platform !== "linux" || machine !== here)
        throw new AppError("UNSUPPORTED", `${path} is for ${machine}, and this machine is ${here}`);
      if (loader !== undefined && !(await isThere(loader)))
        throw new AppError("UNSUPPORTED", `${path} needs ${loader}, which is not on this machine`);
    },
    async digest(_context, path) {
      return (await hashFile(path))?.sha256;
    },
    async install(_context, path, program) {
      const bytes = await readFileLimited(program.path, program.sizeBytes);
      if (bytes === undefined) throw new AppError("NOT_FOUND", `there is no ${program.path} any more`);
      await write(path, bytes, OPTIONS);
    },
  };
}
