import type { ProofRow } from "./proof-rows.ts";

/** Rows of the seeds about images. Apptainer, SingularityCE, Enroot and Pyxis themselves cannot be had as packages: said where they are meant. */
export const imageProofRows: readonly ProofRow[] = [
  {
    row: "D1",
    works:
      "docker:// references in every spelling, Enroot's too; with wharf.yaml's login, the machine's, or none",
    against: "our own registry, with and without a login, mirrors among it",
    tests: [
      "src/images/sources/parse-source.test.ts",
      "test/images-from-registry.test.ts",
      "test/pull.test.ts",
    ],
  },
  {
    row: "D2",
    works: "a private image becomes a SIF or a .sqsh without Docker and without root",
    against:
      "a process that is not root and has no other program; the guide's own lines; siftool of Debian, Apptainer and SingularityCE, unsquashfs; Apptainer and Enroot themselves were not had: their shells run the image's scripts, and a chroot the program",
    tests: [
      "test/researcher-guide.test.ts",
      "test/pull.test.ts",
      "test/images-run.test.ts",
      "src/images/formats/sif/sif-container.test.ts",
      "src/images/formats/sif/write-sif.test.ts",
      "src/images/formats/sif/scripts.test.ts",
      "src/images/formats/sqsh/write-sqsh.test.ts",
    ],
  },
  {
    row: "D3",
    works:
      "another architecture's image from a registry, `docker save`, a layout or a docker daemon, uploaded over SSH while it is converted",
    against: "archives as docker, skopeo and buildah write them; a real sshd; the guide's own lines",
    tests: [
      "test/researcher-guide.test.ts",
      "test/images-from-files.test.ts",
      "test/pull-ssh.test.ts",
      "src/images/sinks/ssh.test.ts",
      "src/images/sources/choose-platform.test.ts",
    ],
  },
  {
    row: "Merged tree",
    works:
      "layers become one file system by every rule: whiteouts, opaque folders, links through symlinks, hard links, times, owners, attributes, names of any bytes",
    against:
      "umoci and podman's mount of the same images, entry by entry; where one of them does otherwise, the test names it; a slow and plain implementation, over random layers",
    tests: [
      "test/images/umoci.test.ts",
      "test/images/podman.test.ts",
      "src/images/layers/merge-layers.test.ts",
      "src/images/layers/merge-properties.test.ts",
      "src/images/layers/tar-forms.test.ts",
    ],
  },
  {
    row: "Formats",
    works: "the tree of every edge case is the same in SIF, .sqsh, squashfs, tar and folder",
    against:
      "unsquashfs, the kernel's mount, sqfs2tar, squashfuse, GNU tar, siftool; listings compared entry by entry, each file's bytes among them",
    tests: [
      "test/images/every-format.test.ts",
      "src/images/formats/squashfs/squashfs-judges.test.ts",
      "src/images/formats/squashfs/build-squashfs.test.ts",
      "src/images/formats/tar/write-tar.test.ts",
      "src/images/formats/rootfs/write-rootfs.test.ts",
    ],
  },
  {
    row: "Layouts and archives",
    works: "OCI layouts and archives with their blobs as they were, and archives for docker load",
    against: "skopeo and umoci",
    tests: [
      "src/images/formats/oci-layout/oci-layout.test.ts",
      "src/images/formats/docker-archive/docker-archive.test.ts",
    ],
  },
  {
    row: "Hostile images",
    works: "no image writes outside of its result, fills memory, or is taken for another one",
    against: "every published attack of the list, by its number; random bytes into every parser",
    tests: [
      "src/images/formats/rootfs/hostile-images.test.ts",
      "src/images/layers/hostile-bytes.test.ts",
      "src/images/layers/read-layer.test.ts",
      "test/images-from-files.test.ts",
    ],
  },
  {
    row: "Image cache",
    works:
      "what was fetched is not fetched again: after a cut, a killed process, by two pulls at once; a changed blob or result is found out; a second pull asks one question",
    against: "a registry with scripted faults, processes that are killed, and our own registry's log",
    tests: ["src/images/cache/blob-cache.test.ts", "test/cache.test.ts", "test/pull.test.ts"],
  },
];
