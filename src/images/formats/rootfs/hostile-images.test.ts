/** Every published attack on a program that unpacks images or archives, by its number: what is outside of the folder stays as it is. */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { silentLogger } from "#core";
import { layersOf } from "../../../../test/support/layer-trees.ts";
import { listTree } from "../../../../test/support/list-tree.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import type { TarItem } from "../../../../test/support/tar-writer.ts";
import { writeRootfs } from "./write-rootfs.ts";

const scratch = createScratch("hostile");
afterAll(() => {
  scratch.remove();
});
const context = { signal: new AbortController().signal, log: silentLogger };
let made = 0;

/** Unpacks beside a folder with a victim; gives the paths that came out, or the code of the refusal. */
async function attack(
  layers: (outside: string, target: string) => readonly (readonly TarItem[])[],
): Promise<readonly string[] | string> {
  const number = made++;
  const outside = scratch.at(`${number}`, "out-side");
  const target = scratch.at(`${number}`, "out");
  mkdirSync(outside, { recursive: true });
  writeFileSync(`${outside}/victim`, "precious");
  chmodSync(`${outside}/victim`, 0o640);
  utimesSync(`${outside}/victim`, 1000, 1000);
  utimesSync(outside, 1000, 1000);
  const before = listTree(outside);
  let result: readonly string[] | string;
  try {
    await writeRootfs(layersOf(...layers(outside, target)), target, context);
    result = [...listTree(target).keys()].slice(1);
  } catch (cause) {
    result = String((cause as { code?: string }).code);
  }
  expect(listTree(outside)).toEqual(before);
  const beside = [...listTree(scratch.at(`${number}`)).keys()];
  const strangers = beside.filter((path) => !/^(?:out(?:-side)?(?:\/.*)?)?$/s.test(path));
  expect(strangers).toEqual([]);
  return result;
}

const symlink = (path: string, linkTarget: string): TarItem => ({ path, type: "2", linkTarget });
const hardlink = (path: string, linkTarget: string): TarItem => ({ path, type: "1", linkTarget });
const evil = (path: string): TarItem => ({ path, content: "evil", mode: 0o4777 });
const inside = (path: string): string => path.slice(1);

test("umoci's security page: a file is written through a symlinked parent of a lower layer", async () => {
  const found = await attack((outside) => [[symlink("link", outside)], [evil("link/victim")]]);
  expect(found).toContain("link");
  expect((found as string[]).some((path) => path.endsWith("out-side/victim"))).toBe(true);
});

test("umoci's security page: a whiteout deletes through a symlink", async () => {
  expect(await attack((outside) => [[symlink("link", outside)], [{ path: "link/.wh.victim" }]])).toEqual([
    "link",
  ]);
  await attack((outside) => [[symlink("link", outside)], [{ path: "link/.wh..wh..opq" }]]);
});

test("umoci's security page: a hard link to a file of the host", async () => {
  expect(await attack((outside) => [[hardlink("mine", `${outside}/victim`)]])).toBe("IMAGE_INVALID");
  expect(await attack(() => [[hardlink("mine", "../out-side/victim")]])).toBe("IMAGE_INVALID");
});

test("CVE-2021-29136: the root itself is a symlink", async () => {
  for (const path of [".", "./", "/"])
    expect(await attack((outside) => [[symlink(path, outside), evil("victim")]])).toBe("IMAGE_INVALID");
});

test("CVE-2021-32760: a mode is set through an unpacked symlink", async () => {
  const found = await attack((outside) => [
    [symlink("link", `${outside}/victim`), hardlink("also", "link")],
    [{ path: "other", type: "1", linkTarget: "also", mode: 0o7777 }],
  ]);
  expect(found).toEqual(["also", "link", "other"]);
});

test("CVE-2025-45582: two archives, the second goes through the first one's symlink", async () => {
  await attack(() => [
    [symlink("step", "..")],
    [symlink("step/two", "../out-side")],
    [evil("step/two/victim")],
  ]);
  await attack(() => [
    [symlink("a", "."), symlink("a/b", ".."), symlink("b/c", "../out-side"), evil("c/victim")],
  ]);
});

test("CVE-2021-32803: a folder is replaced by a symlink within one archive", async () => {
  for (const again of [{ path: "dir/" }, { path: "dir" }])
    await attack((outside) => [
      [{ path: "dir/" }, evil("dir/x"), symlink("dir", outside), again, evil("dir/victim")],
    ]);
});

test("CVE-2021-32804: absolute paths, of several slashes too", async () => {
  for (const slashes of ["/", "//", "////"]) {
    const found = await attack((outside) => [[evil(`${slashes}${inside(outside)}/victim`)]]);
    expect((found as string[]).at(-1)).toEndWith("out-side/victim");
  }
});

test("CVE-2021-37701: names that one system takes for the same, a backslash among them", async () => {
  await attack((outside) => [
    [{ path: "a\\b/" }, symlink("a/b", outside), { path: "a/b/" }, evil("a\\b/victim"), evil("a/b/victim")],
  ]);
});

test("CVE-2021-37712: names that differ in upper case or in how accents are written", async () => {
  await attack((outside) => [
    [{ path: "DIR/" }, symlink("dir", outside), evil("DIR/victim")],
    [{ path: "caf\xc3\xa9/" }, symlink("cafe\xcc\x81", outside), evil("caf\xc3\xa9/victim")],
  ]);
});

test("CVE-2021-37713: paths with a drive letter", async () => {
  await attack(() => [[evil("C:../out-side/victim"), evil("C:\\..\\out-side\\victim")]]);
});

test("CVE-2024-28863: a path of very many folders", async () => {
  expect(await attack(() => [[evil(`${"a/".repeat(60_000)}b`)]])).toBe("TOO_LARGE");
});

test("CVE-2026-23745: a symlink to an absolute path stays text", async () => {
  expect(await attack((outside) => [[symlink("link", `${outside}/victim`), evil("link")]])).toEqual(["link"]);
});

test("CVE-2026-24842: a hard link whose target goes up", async () => {
  for (const target of ["a/../../out-side/victim", "./../out-side/victim", "a/b/../../../out-side/victim"])
    expect(await attack(() => [[{ path: "a/b/" }, hardlink("mine", target)]])).toBe("IMAGE_INVALID");
});

test("CVE-2026-26960: a hard link through a chain of symlinks", async () => {
  const chain = (outside: string): TarItem[] => [
    symlink("one", "two"),
    symlink("two", outside),
    hardlink("mine", "one/victim"),
  ];
  expect(await attack((outside) => [chain(outside)])).toBe("IMAGE_INVALID");
  expect(await attack((outside) => [[...chain(outside), evil("mine")]])).toEqual(["mine", "one", "two"]);
});

test("CVE-2024-12905, CVE-2025-48387: a link out of the folder, and a file over it", async () => {
  await attack((outside) => [[symlink("x", `${outside}/victim`), hardlink("y", "x"), evil("y")]]);
  await attack(() => [[symlink("x", "../out-side/victim"), { ...evil("x"), path: "x" }]]);
});

test("CVE-2025-59343: the folder beside whose name begins alike", async () => {
  await attack((_, target) => [[symlink("x", `${target}-side`), evil("x/victim")]]);
  await attack(() => [[symlink("x", "../out-side"), evil("x/victim"), hardlink("y", "x/victim"), evil("y")]]);
});

test("paths that go up, that are dots, or that hold a NUL", async () => {
  for (const path of ["../out-side/victim", "a/../../out-side/victim", "..", "a/.."]) {
    const found = await attack(() => [[evil(path)]]);
    expect(typeof found === "string" || !found.includes("..")).toBe(true);
  }
});
