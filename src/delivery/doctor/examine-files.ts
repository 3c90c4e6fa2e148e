import { dirname } from "node:path";
import { AppError, type Context, toAppError } from "#core";
import type { Surroundings } from "#logins";
import { createLocalPlace } from "#places";
import { realPath } from "#system";
import type { Examination, FileReport } from "./contract.ts";
import { examineFile } from "./examine-file.ts";

/** Looks at files of this machine, by absolute path. One that cannot be read is passed over; the others are looked at. */
export async function examineFiles(
  context: Context,
  surroundings: Surroundings,
  paths: readonly string[],
): Promise<Examination> {
  const files: FileReport[] = [];
  const passedOver: Examination["passedOver"][number][] = [];
  const place = createLocalPlace({ env: surroundings.env });
  for (const path of paths) {
    try {
      // Whoever names a file means what its link leads to.
      const real = await realPath(path);
      const file = await place.read(context, real);
      if (file === undefined)
        throw new AppError("NOT_FOUND", `there is no file ${path}`, {
          hint: `see what is in ${dirname(path)}`,
        });
      files.push({ ...examineFile(context, place, { path: real, file, about: {} }), path });
    } catch (cause) {
      const error = toAppError(cause);
      if (error.code === "INTERNAL" || error.code === "INTERRUPTED") throw error;
      passedOver.push({ place: "local", path, error });
    }
  }
  return { files, passedOver };
}
