import { AppError } from "#core";
import type { BlockCodec } from "#system";
import type { FormatChoice } from "./contract.ts";

/** gzip 5 is about as small as other programs' 9, zstd 3 is the level that everybody means. */
const LEVELS = { gzip: 5, zstd: 3 } as const;
const MOST = { gzip: 9, zstd: 22 } as const;

/** The codec of a choice, `usual` where it says nothing. Throws USAGE for a level that the codec does not have. */
export function chosenCodec({ compress, level }: FormatChoice, usual: "gzip" | "zstd"): BlockCodec {
  const name = compress ?? usual;
  if (name === "none") {
    if (level !== undefined) throw new AppError("USAGE", "what is not compressed has no level");
    return { name };
  }
  if (level !== undefined && (level < 1 || level > MOST[name]))
    throw new AppError("USAGE", `${name} has levels 1 to ${MOST[name]}, not ${level}`);
  return { name, level: level ?? LEVELS[name] };
}

/** For formats that keep an image's bytes as they are, or unpack them. Throws USAGE. */
export function refuseCodec(format: string, { compress, level }: FormatChoice): void {
  if (compress !== undefined || level !== undefined)
    throw new AppError("USAGE", `${format} has neither --compress nor --level`);
}
