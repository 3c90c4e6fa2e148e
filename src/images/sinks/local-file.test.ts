import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createScratch } from "../../../test/support/scratch.ts";
import { createLocalFileSink } from "./local-file.ts";

const scratch = createScratch("local-sink");
afterAll(() => {
  scratch.remove();
});

test("nothing has the name before the end; pieces lie where they were put; the rest is cut", async () => {
  const path = scratch.at("image");
  writeFileSync(path, "the old one");
  const sink = await createLocalFileSink(path, { mode: 0o755 });
  await sink.write(4, Buffer.from("tail and more"));
  await sink.write(0, Buffer.from("head"));
  expect(readFileSync(path, "latin1")).toBe("the old one");
  await sink.finish(8);
  await sink.abort();
  expect(readFileSync(path, "latin1")).toBe("headtail");
  expect(statSync(path).mode & 0o7777).toBe(0o755);
  expect(readdirSync(scratch.path)).toEqual(["image"]);
});

test("an aborted one leaves nothing, and what was there stays", async () => {
  const path = scratch.at("other");
  writeFileSync(path, "the old one");
  const sink = await createLocalFileSink(path, { mode: 0o644 });
  await sink.write(0, Buffer.from("half"));
  await sink.abort();
  await sink.abort();
  expect(readFileSync(path, "latin1")).toBe("the old one");
  expect(readdirSync(scratch.path).sort()).toEqual(["image", "other"]);
});

test("a folder that is not there is said with the path", async () => {
  const path = scratch.at("no", "where");
  await expect(createLocalFileSink(path, { mode: 0o644 })).rejects.toThrow(`writing ${path}: ENOENT`);
});
