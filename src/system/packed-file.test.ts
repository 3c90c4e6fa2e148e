import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { isAppError, silentLogger } from "#core";
import { packFile } from "./packed-file.ts";
import { runProgram } from "./run-program.ts";

const folder = mkdtempSync(join(tmpdir(), "wharf-packed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const context = { signal: new AbortController().signal, log: silentLogger };
const run = { env: { PATH: "/usr/bin:/bin" }, timeoutMs: 60_000, maxBytes: 1024 };

test("a file is packed once, read by several, and has no name", async () => {
  const content = Buffer.from("many bytes, ".repeat(200_000));
  writeFileSync(join(folder, "file"), content);
  const packed = await packFile(join(folder, "file"));
  const read = async (): Promise<Buffer> => Buffer.concat(await Array.fromAsync(packed.read()));
  const [first, second] = await Promise.all([read(), read()]);
  expect(first.length).toBe(packed.sizeBytes);
  expect(gunzipSync(first).equals(content)).toBe(true);
  expect(second.equals(first)).toBe(true);
  expect(readdirSync(folder)).toEqual(["file"]);
  expect(await packFile(join(folder, "none")).catch((cause: unknown) => isAppError(cause))).toBe(true);
});

test("a program is fed as fast as it reads; one that ends early is no error of ours, a source that fails is", async () => {
  let given = 0;
  async function* many(): AsyncIterable<Uint8Array> {
    for (; given < 64; given++) yield new Uint8Array(1024 * 1024);
  }
  const all = await runProgram(context, {
    ...run,
    argv: ["sh", "-c", "wc -c"],
    stdin: Buffer.from("first"),
    feed: many,
  });
  expect(Buffer.from(all.stdout).toString().trim()).toBe(String(64 * 1024 * 1024 + 5));
  given = 0;
  const early = await runProgram(context, {
    ...run,
    argv: ["sh", "-c", "head -c 5 >&2; exit 3"],
    feed: many,
  });
  expect([early.exitCode, given < 64]).toEqual([3, true]);
  const broken = runProgram(context, {
    ...run,
    argv: ["sh", "-c", "cat > /dev/null"],
    feed: async function* (): AsyncIterable<Uint8Array> {
      yield new Uint8Array(10);
      throw new Error("the disk broke");
    },
  });
  await expect(broken).rejects.toThrow("the disk broke");
});
