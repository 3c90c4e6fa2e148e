import { AppError, isProgramPath, parseProgramMark, renderProgramMark } from "#core";
import type { Place } from "../contract.ts";
import type { ProgramFile } from "./executable.ts";

export { type ProgramFile, readExecutable } from "./executable.ts";

/** The executables that can be put. */
export interface CarriedPrograms {
  find(sha256: string): ProgramFile | undefined;
  /** Hears of what takes long, one line each. */
  tell?(text: string): void;
}

/**
 * A place where paths of wharf's programs (`isProgramPath`) hold the executable: it is read as a mark of its digest, and writing the mark of a
 * program that is known puts that there. A place that cannot be given programs comes back as it is.
 */
export function withPrograms(place: Place, carried: CarriedPrograms): Place {
  const { programs } = place;
  if (programs === undefined) return place;
  return {
    ...place,
    async read(context, path) {
      if (!isProgramPath(path)) return await place.read(context, path);
      const sha256 = await programs.digest(context, path);
      if (sha256 === undefined) return undefined;
      return { bytes: new TextEncoder().encode(renderProgramMark(sha256)), mode: 0o755, uid: 0, gid: 0 };
    },
    async write(context, path, bytes, options) {
      if (!isProgramPath(path)) {
        await place.write(context, path, bytes, options);
        return;
      }
      const sha256 = parseProgramMark(new TextDecoder().decode(bytes));
      const program = sha256 === undefined ? undefined : carried.find(sha256);
      if (program === undefined)
        throw new AppError("INTERNAL", `${path}: the executable to put there is not known`);
      carried.tell?.(
        `putting the executable (${Math.round(program.sizeBytes / 1e6)} MB) at ${place.name}, ${path}`,
      );
      await programs.install(context, path, program);
    },
  };
}
