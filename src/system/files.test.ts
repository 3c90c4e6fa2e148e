import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensurePrivateFolder } from "./folders.ts";
import { readFileLimited, readTextLimited } from "./read-limited.ts";
import { writeFileDurable } from "./write-durable.ts";

const folder = mkdtempSync(join(tmpdir(), "wharf-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a durable write replaces the file, keeps it private and leaves nothing beside it", async () => {
  const path = join(folder, "key");
  writeFileSync(path, "old", { mode: 0o644 });
  await writeFileDurable(path, "new");
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["key"]);
});

test("a durable write replaces a link instead of following it", async () => {
  const target = join(folder, "target");
  writeFileSync(target, "kept");
  symlinkSync(target, join(folder, "link"));
  await writeFileDurable(join(folder, "link"), "new", { mode: 0o640 });
  expect(readFileSync(target, "utf8")).toBe("kept");
  expect(statSync(join(folder, "link")).mode & 0o777).toBe(0o640);
});

test("a durable write into a folder that is not there says what failed", async () => {
  await expect(writeFileDurable(join(folder, "no", "file"), "x")).rejects.toMatchObject({
    code: "STORAGE_FAILED",
    message: expect.stringContaining("ENOENT"),
  });
});

test("reading: nothing there, exactly the limit, above it, a folder, /proc", async () => {
  const path = join(folder, "ten");
  writeFileSync(path, "0123456789");
  expect(await readFileLimited(join(folder, "none"), 10)).toBeUndefined();
  expect(await readTextLimited(path, 10)).toBe("0123456789");
  await expect(readFileLimited(path, 9)).rejects.toMatchObject({ code: "TOO_LARGE" });
  await expect(readFileLimited(folder, 9)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  expect((await readTextLimited("/proc/self/status", 100_000))?.length).toBeGreaterThan(100);
});

test("a private folder is made, and tightened where it is wider", async () => {
  const path = join(folder, "a", "b");
  await ensurePrivateFolder(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  mkdirSync(join(folder, "wide"));
  chmodSync(join(folder, "wide"), 0o755);
  await ensurePrivateFolder(join(folder, "wide"));
  expect(statSync(join(folder, "wide")).mode & 0o777).toBe(0o700);
  await expect(ensurePrivateFolder(join(folder, "ten"))).rejects.toMatchObject({ code: "STORAGE_FAILED" });
});
