import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAppError } from "#core";
import { createFileSync } from "./file-sync.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "wharf-file-sync-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

test("a quick disk is waited for in place, a slow one on another thread, and a disk that recovers in place again", async () => {
  const path = join(dir, "log");
  writeFileSync(path, "x");
  let time = 0;
  let tookMs = 0;
  // Each sync asks the clock twice: at its begin and at its end.
  const file = createFileSync(path, () => {
    time += tookMs / 2;
    return time;
  });
  expect(file.sync()).toBeUndefined();
  tookMs = 20;
  expect(file.sync()).toBeUndefined();
  const slow = file.sync();
  expect(slow).toBeInstanceOf(Promise);
  await slow;
  tookMs = 0;
  for (let more = 0; more < 20; more++) await file.sync();
  expect(file.sync()).toBeUndefined();
  file.close();
});

test("a file that is not there is an error, not a silence", () => {
  const file = createFileSync(join(dir, "nothing"));
  let thrown: unknown;
  try {
    void file.sync();
  } catch (error) {
    thrown = error;
  }
  expect(isAppError(thrown)).toBe(true);
  file.close();
});
