import { createdSeconds } from "../../created-seconds.ts";
import { chosenCodec } from "../choices.ts";
import type { FileFormat } from "../contract.ts";
import { buildSquashfs } from "./build-squashfs.ts";

/** A plain squashfs: owners, device nodes and times as the image has them. */
export const squashfsFormat: FileFormat = {
  name: "squashfs",
  kind: "file",
  mode: 0o644,
  isChangedInPlace: false,
  settings: (choice) => ({ ...chosenCodec(choice, "zstd") }),
  write: (context, { view }, sink, choice) =>
    buildSquashfs(
      view.layers,
      sink,
      {
        codec: chosenCodec(choice, "zstd"),
        preserveDevices: true,
        madeAtSeconds: createdSeconds(view.config),
      },
      context,
    ),
};
