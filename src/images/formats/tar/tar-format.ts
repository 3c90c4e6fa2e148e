import { refuseCodec } from "../choices.ts";
import type { FileFormat } from "../contract.ts";
import { writeTar } from "./write-tar.ts";

/** See `writeTar`. */
export const tarFormat: FileFormat = {
  name: "tar",
  kind: "file",
  mode: 0o644,
  isChangedInPlace: false,
  settings(choice) {
    refuseCodec("a tar archive", choice);
    return {};
  },
  write: (context, { view }, sink) => writeTar(view.layers, sink, context),
};
