import type { Context } from "#core";
import { readGraph } from "../../copy/image-graph.ts";
import { refuseCodec } from "../choices.ts";
import type { FileFormat, FolderFormat, FormatChoice, FormatInput } from "../contract.ts";
import type { LayoutItem } from "./layout-item.ts";
import { writeLayoutArchive } from "./write-layout-archive.ts";
import { writeLayoutFolder } from "./write-layout-folder.ts";

function settings(choice: FormatChoice): Readonly<Record<string, unknown>> {
  refuseCodec("an OCI layout", choice);
  return { name: choice.name ?? null };
}

/** The image for the platform alone, its original bytes. */
async function itemOf(
  context: Context,
  { content, platform }: FormatInput,
  { name }: FormatChoice,
): Promise<LayoutItem> {
  return { content, graph: await readGraph(context, content, platform), name };
}

/** See `writeLayoutFolder`: a layout that is there is added to. */
export const layoutFormat: FolderFormat = {
  name: "oci",
  kind: "folder",
  settings,
  write: async (context, image, folder, choice) =>
    writeLayoutFolder([await itemOf(context, image, choice)], folder, context),
};

/** See `writeLayoutArchive`. */
export const layoutArchiveFormat: FileFormat = {
  name: "oci-archive",
  kind: "file",
  mode: 0o644,
  isChangedInPlace: false,
  settings,
  write: async (context, image, sink, choice) =>
    writeLayoutArchive([await itemOf(context, image, choice)], sink, context),
};
