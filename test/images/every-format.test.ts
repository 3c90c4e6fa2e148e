/** Every edge of the list, the whole way: pulled out of a layout into each format, read back by that format's own programs, and compared entry by entry. */
import { afterAll, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { isAppError } from "#core";
import { listTree } from "../support/list-tree.ts";
import { memoryLayer } from "../support/memory-layer.ts";
import { mergedLines } from "../support/merged-lines.ts";
import { findProgram, needsThat, programPath } from "../support/programs.ts";
import { runCli } from "../support/run-cli.ts";
import { mustRun } from "../support/run-program.ts";
import { createScratch } from "../support/scratch.ts";
import type { TreeLine, TreeLines } from "../support/tree-lines.ts";
import { writeLayout } from "../support/write-layout.ts";
import { edgeImages } from "./edge-images.ts";

const scratch = createScratch("every-format");
afterAll(() => {
  scratch.remove();
}, 60_000);

const programs = ["unsquashfs", "sqfs2tar", "siftool", "tar"];
const isRoot = process.getuid?.() === 0;
// Owners, devices and trusted attributes take root.
const testAsRoot = needsThat(
  isRoot && programs.every((name) => findProgram(name) !== undefined),
  `needs root and ${programs.join(", ")}`,
);
const canMount =
  isRoot &&
  /^\s+squashfs$|^nodev\s+squashfs$/m.test(readFileSync("/proc/filesystems", "utf8")) &&
  ["mount", "umount"].every((name) => findProgram(name) !== undefined);

/** How a result is read back into lines. */
type Judge = (result: string, folder: string) => Promise<TreeLines>;

const unsquash =
  (...options: readonly string[]): Judge =>
  async (result, folder) => {
    await mustRun([programPath("unsquashfs"), "-quiet", "-no-progress", "-dest", folder, ...options, result]);
    return listTree(folder);
  };

const untar: Judge = async (result, folder) => {
  mkdirSync(folder);
  // Folders stand before all files: their times hold only where they are set at the end.
  const exact = ["--numeric-owner", "--same-owner", "--same-permissions", "--delay-directory-restore"];
  const options = ["--xattrs", "--xattrs-include=*", ...exact];
  await mustRun([programPath("tar"), ...options, "-xf", result, "-C", folder]);
  return listTree(folder);
};

/** Another reader of squashfs, which writes a tar. */
const throughTar: Judge = async (result, folder) => {
  const tar = `${folder}.tar`;
  await mustRun(["sh", "-c", '"$1" --root-becomes . "$2" >"$3"', "sh", programPath("sqfs2tar"), result, tar]);
  return untar(tar, folder);
};

const mounted: Judge = async (result, folder) => {
  mkdirSync(folder);
  await mustRun([programPath("mount"), "-t", "squashfs", "-o", "ro,loop", result, folder]);
  try {
    return listTree(folder);
  } finally {
    await mustRun([programPath("umount"), folder]);
  }
};

/** The partition is where Debian's siftool says that it is. */
const unsquashPartition: Judge = async (result, folder) => {
  const list = await mustRun([programPath("siftool"), "list", result]);
  const [, offset = ""] = /\|(\d+)-\d+\s*\|FS \(Squashfs\/\*System/.exec(list) ?? [];
  expect(list).toContain("Squashfs/*System");
  return unsquash("-offset", offset)(result, folder);
};

const listed: Judge = async (result) => listTree(result);

interface Format {
  readonly name: string;
  readonly judges: Readonly<Record<string, Judge>>;
  /** What the format makes of a line that it has room for; undefined where it leaves the path out. */
  readonly keeps: (path: string, line: TreeLine) => TreeLine | undefined;
  /** Paths that are the format's own: they are there instead of, or beside, the image's. */
  readonly owns?: RegExp;
}

const isDevice = ({ type }: TreeLine): boolean => type === "character" || type === "block";

/** Devices are the runtime's to make. */
function forRuntimes(path: string, line: TreeLine): TreeLine | undefined {
  return isDevice(line) ? undefined : inSquashfs(path, line);
}

/** squashfs has 32 bits without a sign for times. */
function inSquashfs(_path: string, line: TreeLine): TreeLine {
  const mtimeSeconds = Math.min(Math.max(line.mtimeSeconds, 0), 0xffffffff);
  return { ...line, mtimeSeconds };
}

const formats: readonly Format[] = [
  {
    name: "squashfs",
    judges: { unsquashfs: unsquash(), sqfs2tar: throughTar, ...(canMount ? { kernel: mounted } : {}) },
    keeps: inSquashfs,
  },
  {
    name: "sif",
    judges: { unsquashfs: unsquashPartition },
    keeps: forRuntimes,
    owns: /^(?:|dev|etc|home|proc|root|sys|tmp|var|etc\/(?:hosts|resolv\.conf)|var\/tmp|\.(?:exec|run|shell|test)|singularity|environment|\.singularity\.d(?:\/.*)?)$/,
  },
  {
    name: "sqsh",
    judges: { unsquashfs: unsquash() },
    keeps(path, line) {
      const kept = forRuntimes(path, line);
      return kept === undefined ? undefined : { ...kept, uid: 0, gid: 0 };
    },
    owns: /^(?:|etc|etc\/(?:rc|rc\.local|environment|fstab))$/,
  },
  { name: "tar", judges: { tar: untar }, keeps: (_path, line) => line },
  { name: "rootfs", judges: { folder: listed }, keeps: (_path, line) => line },
];

for (const [number, image] of edgeImages.entries())
  testAsRoot(
    image.name,
    async () => {
      const layers = image.layers.map((tar) => memoryLayer(tar, "gzip"));
      const layout = scratch.at(`layout-${number}`);
      await writeLayout(layout, layers);
      const merged = await mergedLines(layers).catch((cause: unknown) => {
        if (!isAppError(cause)) throw cause;
        return cause.message;
      });
      for (const { name, judges, keeps, owns } of formats) {
        const result = scratch.at(`${number}.${name}`);
        const pulled = await runCli(["pull", `oci:${layout}:image`, result, "--format", name, "--no-cache"], {
          cwd: scratch.path,
          env: { HOME: scratch.path },
        });
        if (typeof merged === "string") {
          // An image that cannot be is none in any format.
          expect({ name, code: pulled.code }).toEqual({ name, code: 1 });
          expect(pulled.err).toContain(merged);
          expect(existsSync(result)).toBe(false);
          continue;
        }
        expect({ name, code: pulled.code, err: pulled.code === 0 ? "" : pulled.err }).toEqual({
          name,
          code: 0,
          err: "",
        });
        const isOwn = (path: string): boolean => owns?.test(path) === true;
        const expected = linesOf(merged, (path, line) => (isOwn(path) ? undefined : keeps(path, line)));
        for (const [judge, read] of Object.entries(judges)) {
          const folder = scratch.at(`${number}.${name}.${judge}`);
          const found = await read(result, folder);
          const kept = linesOf(found, (path, line) => (isOwn(path) ? undefined : line));
          const differing = [...new Set([...expected.keys(), ...kept.keys()])].filter(
            (path) => !Bun.deepEquals(expected.get(path), kept.get(path)),
          );
          // Thousands of entries otherwise wait for the end.
          rmSync(folder, { recursive: true, force: true });
          expect(
            differing.map((path) => ({
              name,
              judge,
              path,
              image: expected.get(path),
              found: kept.get(path),
            })),
          ).toEqual([]);
        }
      }
    },
    120_000,
  );

function linesOf(
  lines: TreeLines,
  keep: (path: string, line: TreeLine) => TreeLine | undefined,
): ReadonlyMap<string, TreeLine> {
  return new Map(
    [...lines].flatMap(([path, line]) => {
      const kept = keep(path, line);
      return kept === undefined ? [] : [[path, kept] as const];
    }),
  );
}
