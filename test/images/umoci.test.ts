/** Our merged tree beside what `umoci` unpacks, entry by entry, for every edge of the list. Where umoci does otherwise, the image says so. */
import { afterAll, expect, test } from "bun:test";
import { listTree } from "../support/list-tree.ts";
import { memoryLayer } from "../support/memory-layer.ts";
import { mergedLines } from "../support/merged-lines.ts";
import { findProgram, needsThat } from "../support/programs.ts";
import { runProgram } from "../support/run-program.ts";
import { createScratch } from "../support/scratch.ts";
import type { TreeLines } from "../support/tree-lines.ts";
import { writeLayout } from "../support/write-layout.ts";
import { edgeImages } from "./edge-images.ts";

const scratch = createScratch("umoci");
const umoci = findProgram("umoci");
// Owners, devices and trusted attributes take root.
const testAsRoot = needsThat(umoci !== undefined && process.getuid?.() === 0, "needs umoci and root");

afterAll(() => {
  scratch.remove();
});

for (const [number, image] of edgeImages.entries()) {
  testAsRoot(
    image.name,
    async () => {
      const layers = image.layers.map((tar) => memoryLayer(tar, "gzip"));
      const folder = scratch.at(`layout-${number}`);
      await writeLayout(folder, layers);
      const theirs = scratch.at(`rootfs-${number}`);
      const ran = await runProgram([umoci ?? "", "raw", "unpack", "--image", `${folder}:image`, theirs]);
      if (image.umoci?.refuses !== undefined) {
        expect([ran.code, ran.err]).toEqual([1, expect.stringContaining(image.umoci.refuses)]);
        return;
      }
      expect(ran).toMatchObject({ code: 0 });
      const ours = withoutUnknownTimes(await mergedLines(layers));
      const other = withoutUnknownTimes(listTree(theirs), ours);
      const differing = [...new Set([...ours.keys(), ...other.keys()])].filter(
        (path) => !Bun.deepEquals(ours.get(path), other.get(path)),
      );
      const told = image.umoci?.paths ?? [];
      // Every difference is named, and everything named is one: the list is not a way out.
      expect(
        differing
          .map((path) => [path, ours.get(path), other.get(path)])
          .filter(([path]) => !told.includes(path as string)),
      ).toEqual([]);
      expect(differing.sort()).toEqual([...told].sort());
    },
    60_000,
  );
}

test("there are images for every rule", () => {
  for (const rule of ["a:", "b:", "c:", "d:", "e:", "f:", "g:", "h:", "i:", "n:"])
    expect(edgeImages.some((image) => image.name.startsWith(rule))).toBe(true);
});

/** Folders that no entry describes have the time of unpacking there, and 1970 here. */
function withoutUnknownTimes(tree: TreeLines, reference: TreeLines = tree): TreeLines {
  return new Map(
    [...tree].map(([path, line]) => {
      const known = reference.get(path);
      return known?.type === "directory" && known.mtimeSeconds === 0
        ? [path, { ...line, mtimeSeconds: 0 }]
        : [path, line];
    }),
  );
}
