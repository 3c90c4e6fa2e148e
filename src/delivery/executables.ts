import { AppError } from "#core";
import { type ProgramFile, readExecutable } from "#places";
import { runningExecutable } from "#system";

export interface Executables {
  /** The executable that runs now, or the one at a path: read once. Throws UNSUPPORTED from source, where there is none. */
  read(written: string | undefined): Promise<ProgramFile>;
  /** One that was read, by its digest. */
  find(sha256: string): ProgramFile | undefined;
}

/** The executables that deliveries send: for all places the same. */
export function createExecutables(): Executables {
  const reading = new Map<string, Promise<ProgramFile>>();
  const known = new Map<string, ProgramFile>();
  return {
    async read(written) {
      const path = written ?? runningExecutable();
      if (path === undefined)
        throw new AppError("UNSUPPORTED", "bin-dir: takes the executable, and this wharf runs from source", {
          hint: "make it with `npm run build`, and name it in the delivery: executable: dist/wharf",
        });
      const program = await (reading.get(path) ?? reading.set(path, readExecutable(path)).get(path));
      if (program === undefined) throw new AppError("INTERNAL", `${path} was not read`);
      known.set(program.sha256, program);
      return program;
    },
    find: (sha256) => known.get(sha256),
  };
}
