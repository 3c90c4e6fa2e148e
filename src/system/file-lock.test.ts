import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { type AppError, type Context, silentLogger } from "#core";
import { withFileLock } from "./file-lock.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wharf-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("one at a time, and the lock is gone afterwards, after a failure too", async () => {
  const path = join(folder, "x.lock");
  let inside = 0;
  let most = 0;
  const enter = async (fails: boolean): Promise<void> => {
    await withFileLock(context, path, async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
      if (fails) throw new Error("as wanted");
    });
  };
  const results = await Promise.allSettled([enter(false), enter(true), enter(false), enter(true)]);
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected"]);
  expect([most, readdirSync(folder)]).toEqual([1, []]);
});

test("the lock of a process that is gone is taken over, by one of many", async () => {
  const path = join(folder, "x.lock");
  const gone = Bun.spawnSync(["true"]);
  writeFileSync(path, `${gone.pid} ${hostname()} abc\n`);
  let inside = 0;
  const most: number[] = [];
  await Promise.all(
    Array.from({ length: 5 }, () =>
      withFileLock(context, path, async () => {
        most.push(++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      }),
    ),
  );
  expect([Math.max(...most), most.length, readdirSync(folder)]).toEqual([1, 5, []]);
});

test("waiting ends with the context", async () => {
  const path = join(folder, "x.lock");
  const stop = new AbortController();
  await withFileLock(context, path, async () => {
    const waiting = withFileLock({ ...context, signal: stop.signal }, path, () => Promise.resolve("in"));
    stop.abort();
    expect(await waiting.catch((cause: AppError) => cause.code)).toBe("INTERRUPTED");
  });
});
