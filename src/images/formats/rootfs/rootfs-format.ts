import { refuseCodec } from "../choices.ts";
import type { FolderFormat } from "../contract.ts";
import { renderLeftOut } from "./left-out.ts";
import { writeRootfs } from "./write-rootfs.ts";

/** See `writeRootfs`. */
export const rootfsFormat: FolderFormat = {
  name: "rootfs",
  kind: "folder",
  settings(choice) {
    refuseCodec("a folder", choice);
    return {};
  },
  async write(context, { view }, folder) {
    const left = renderLeftOut(await writeRootfs(view.layers, folder, context));
    const sizeBytes = view.layers.reduce((sum, { descriptor }) => sum + descriptor.sizeBytes, 0);
    return { sizeBytes, ...(left === "" ? {} : { notes: [left] }) };
  },
};
