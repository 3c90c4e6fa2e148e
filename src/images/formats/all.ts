import type { FormatName, ImageFormat } from "./contract.ts";

/** The one list of formats. Only the one that was asked for is loaded. */
const formats: Readonly<Record<FormatName, () => Promise<ImageFormat>>> = {
  sif: async () => (await import("./sif/sif-format.ts")).sifFormat,
  sqsh: async () => (await import("./sqsh/sqsh-format.ts")).sqshFormat,
  squashfs: async () => (await import("./squashfs/squashfs-format.ts")).squashfsFormat,
  tar: async () => (await import("./tar/tar-format.ts")).tarFormat,
  oci: async () => (await import("./oci-layout/layout-formats.ts")).layoutFormat,
  "oci-archive": async () => (await import("./oci-layout/layout-formats.ts")).layoutArchiveFormat,
  "docker-archive": async () =>
    (await import("./docker-archive/docker-archive-format.ts")).dockerArchiveFormat,
  rootfs: async () => (await import("./rootfs/rootfs-format.ts")).rootfsFormat,
};

export function loadFormat(name: FormatName): Promise<ImageFormat> {
  return formats[name]();
}
