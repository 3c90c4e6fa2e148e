import { chosenCodec } from "../choices.ts";
import type { FileFormat } from "../contract.ts";
import { writeSqsh } from "./write-sqsh.ts";

/** See `writeSqsh`. */
export const sqshFormat: FileFormat = {
  name: "sqsh",
  kind: "file",
  mode: 0o644,
  isChangedInPlace: false,
  settings: (choice) => ({ ...chosenCodec(choice, "zstd") }),
  write: (context, { view }, sink, choice) =>
    writeSqsh(view, sink, { codec: chosenCodec(choice, "zstd") }, context),
};
