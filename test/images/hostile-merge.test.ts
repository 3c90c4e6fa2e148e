/** Layers that are small and would keep the machine busy for hours, or break it by their number: each is refused, or done in a moment. */
import { expect, test } from "bun:test";
import { isAppError } from "#core";
import type { LayerEntry, LayerIndex, Whiteout } from "../../src/images/contract.ts";
import { mergeLayers } from "../../src/images/layers/merge-layers.ts";

function entry(path: string, type: LayerEntry["type"], linkTarget = ""): LayerEntry {
  const own = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0, sizeBytes: 0 };
  return { ...own, path, type, linkTarget, device: undefined, xattrs: undefined };
}

function layer(entries: readonly LayerEntry[], whiteouts: readonly Whiteout[] = []): LayerIndex {
  return { entries, whiteouts };
}

function list<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** The names in the root, or the code of the refusal. */
function merged(...layers: readonly LayerIndex[]): readonly string[] | string {
  try {
    return [...(mergeLayers(layers).children ?? new Map<string, unknown>()).keys()];
  } catch (error) {
    if (isAppError(error)) return error.code;
    throw error;
  }
}

// By rounds of all of them it would take a day.
test("hard links that each wait for the next one", () => {
  const chain = (count: number): LayerIndex =>
    layer([...list(count, (at) => entry(`l${at}`, "hardlink", `l${at + 1}`)), entry(`l${count}`, "file")]);
  expect(merged(chain(30))).toHaveLength(31);
  expect(merged(chain(20_000))).toBe("IMAGE_INVALID");
}, 60_000);

test("one opaque marker twenty thousand times, for a folder of as many files", () => {
  const files = list(20_000, (at) => entry(`d/${at}`, "file"));
  const markers = files.map((): Whiteout => ({ kind: "opaque", path: "d", entriesBefore: files.length }));
  const lower = layer([entry("d/old", "file"), entry("kept", "file")]);
  expect(merged(lower, layer(files, markers))).toEqual(["d", "kept"]);
  const { children } = mergeLayers([lower, layer(files, markers)]).children?.get("d") ?? {};
  expect([children?.size, children?.has("old")]).toEqual([20_000, false]);
}, 60_000);

test("a chain of symlinks whose targets are thousands of dots", () => {
  const links = list(40, (at) =>
    entry(`s${at}`, "symlink", `${"./".repeat(2040)}${at === 39 ? "t" : `s${at + 1}`}`),
  );
  const behind = list(1000, (at) => entry(`s0/d${at}/file`, "file"));
  expect(merged(layer([entry("t", "directory"), ...links, ...behind]))).toBe("TOO_LARGE");
});

test("a folder of two million files that is replaced by a file", () => {
  const files = list(2_000_000, (at) => entry(`d/${at}`, "file"));
  expect(merged(layer([...files, entry("d", "file")]))).toEqual(["d"]);
}, 60_000);
