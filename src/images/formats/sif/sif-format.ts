import { chosenCodec } from "../choices.ts";
import type { FileFormat } from "../contract.ts";
import { writeSif, ZSTD_SIF_NOTE } from "./write-sif.ts";

/** See `writeSif`. `apptainer sign` and `overlay create` change a SIF in place. */
export const sifFormat: FileFormat = {
  name: "sif",
  kind: "file",
  mode: 0o755,
  isChangedInPlace: true,
  settings: (choice) => ({ ...chosenCodec(choice, "gzip") }),
  async write(context, { view }, sink, choice) {
    const codec = chosenCodec(choice, "gzip");
    const written = await writeSif(view, sink, { codec }, context);
    return codec.name === "zstd" ? { ...written, notes: [ZSTD_SIF_NOTE] } : written;
  },
};
