import { type ExaminedFile, findFaults, lineChanges, mendText } from "#consumers/faults";
import { AppError, type Context } from "#core";
import type { Place, PlaceFile } from "#places";
import type { FileReport, Mending } from "./contract.ts";

/** What is said of a file beside its bytes. */
export type AboutFile = Pick<ExaminedFile, "reader" | "curl">;

/** Looks at one file of a place; what `--fix` would do to it is made ready, and written by nobody yet. */
export function examineFile(
  context: Context,
  place: Place,
  found: { readonly path: string; readonly file: PlaceFile; readonly about: AboutFile },
): FileReport {
  const { path, file, about } = found;
  const examined: ExaminedFile = { path, bytes: file.bytes, mode: file.mode, now: new Date(), ...about };
  const faults = findFaults(examined);
  return {
    place: place.name,
    path,
    faults,
    mending: mendingOf(context, place, { path, file, examined, faults }),
  };
}

function mendingOf(
  context: Context,
  place: Place,
  found: {
    readonly path: string;
    readonly file: PlaceFile;
    readonly examined: ExaminedFile;
    readonly faults: FileReport["faults"];
  },
): Mending | undefined {
  const { path, file, examined, faults } = found;
  const isOpen = faults.some(({ code }) => code === "WD018");
  const mended = mendText(examined);
  if (mended.done.length === 0 && !isOpen) return undefined;
  const mode = isOpen ? file.mode & 0o700 & ~0o100 : file.mode;
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return {
    says: [
      ...(isOpen ? [`the mode becomes 0${mode.toString(8)}`] : []),
      ...mended.done.map(({ says }) => says),
    ],
    changes: lineChanges(text(file.bytes), text(mended.bytes)),
    left: mended.left.filter(({ code }) => code !== "WD018"),
    async write() {
      const now = await place.read(context, path);
      if (now === undefined || Buffer.compare(now.bytes, file.bytes) !== 0)
        throw new AppError("CONFLICT", `${path} was changed meanwhile, and is left alone`, {
          hint: "run it again",
        });
      await place.write(context, path, mended.bytes, { mode, folderMode: 0o700 });
    },
  };
}
