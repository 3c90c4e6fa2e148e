import { expect, test } from "bun:test";
import { fileNode } from "../../../test/support/squashfs-trees.ts";
import { createFolder, unlink } from "./tree-folder.ts";

test("a folder of more names than a call takes arguments is taken away", () => {
  const file = fileNode("");
  const [root, many] = [createFolder(), createFolder()];
  for (let index = 0; index < 1_000_000; index++) many.children.set(String(index), file);
  root.children.set("many", many);
  file.links = many.children.size;
  unlink(root, "many");
  expect([root.children.size, file.links]).toEqual([0, 0]);
}, 60_000);
