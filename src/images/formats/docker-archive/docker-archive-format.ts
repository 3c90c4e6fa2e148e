import { refuseCodec } from "../choices.ts";
import type { FileFormat } from "../contract.ts";
import { writeDockerArchive } from "./write-docker-archive.ts";

/** See `writeDockerArchive`. */
export const dockerArchiveFormat: FileFormat = {
  name: "docker-archive",
  kind: "file",
  mode: 0o644,
  isChangedInPlace: false,
  settings(choice) {
    refuseCodec("what docker loads", choice);
    return { name: choice.name ?? null };
  },
  write: (context, { view }, sink, { name }) =>
    writeDockerArchive([{ view, tags: name === undefined ? [] : [name] }], sink, context),
};
