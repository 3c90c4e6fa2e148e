/**
 * Our merged tree beside what podman mounts, for layers as programs that build images write them. Podman (4.3) is no judge of more: it refuses, or loses
 * what it was given, where a whiteout stands behind its replacement, where a path comes twice and where parents are symlinks to nowhere; it gives
 * hard links their own headers' owners, keeps attributes of folders that were replaced, and never gives a folder its time back.
 */
import { afterAll, expect } from "bun:test";
import { createHome } from "../clients/home.ts";
import { listTree } from "../support/list-tree.ts";
import { memoryLayer } from "../support/memory-layer.ts";
import { mergedLines } from "../support/merged-lines.ts";
import { findProgram, needsThat } from "../support/programs.ts";
import { mustRun } from "../support/run-program.ts";
import { createScratch } from "../support/scratch.ts";
import type { TreeLine, TreeLines } from "../support/tree-lines.ts";
import { writeLayout } from "../support/write-layout.ts";
import { edgeImages } from "./edge-images.ts";

const scratch = createScratch("podman-mount");
const home = createHome(scratch, "home");
const podman = findProgram("podman");
const testAsRoot = needsThat(podman !== undefined && process.getuid?.() === 0, "needs podman and root");
// vfs needs no kernel driver; and it lays each layer over those below, symlinks and all, where overlayfs only looks at names.
const store = [`--root=${scratch.at("store")}`, `--runroot=${scratch.at("run")}`, "--storage-driver=vfs"];

/** The images on which it follows the rules. */
const followed = [
  "a: a whiteout of a folder, then a new child",
  "b: a whiteout and an entry of one name",
  "an opaque root",
  "a whiteout of a symlink",
  "c: a file over a folder",
  "c: a folder over a file",
  "d: an entry below a lower symlink",
  "d: a whiteout below a lower symlink",
  "d: a symlink to above the root",
  "e: a folder over a symlink",
  "f: a hard link whose target is hidden afterwards",
  "paths that climb",
  "every type",
  "i: names that are not UTF-8",
  "sparse files of the PAX forms",
  "many layers on one path",
];

afterAll(() => {
  scratch.remove();
});

testAsRoot(
  "podman mounts the same trees",
  async () => {
    for (const [number, name] of followed.entries()) {
      const image = edgeImages.find((candidate) => candidate.name === name);
      const layers = (image?.layers ?? []).map((tar) => memoryLayer(tar, "gzip"));
      await writeLayout(scratch.at(`layout-${number}`), layers);
      const run = async (...args: readonly string[]): Promise<string> =>
        (await mustRun([podman ?? "", ...store, ...args], { env: home.env, cwd: scratch.path })).trim();
      // Podman makes a name of the path as it is given, and names have no capitals.
      const id = await run("pull", "--quiet", `oci:layout-${number}:image`);
      const mounted = await run("image", "mount", id);
      const theirs = withoutFolderTimes(listTree(mounted));
      await run("image", "unmount", id);
      expect({ name, tree: withoutFolderTimes(await mergedLines(layers)) }).toEqual({ name, tree: theirs });
    }
  },
  300_000,
);

function withoutFolderTimes(tree: TreeLines): ReadonlyMap<string, TreeLine> {
  return new Map(
    [...tree].map(([path, line]) => [path, line.type === "directory" ? { ...line, mtimeSeconds: 0 } : line]),
  );
}
