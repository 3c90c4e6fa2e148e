import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { isAppError } from "#core";
import { createEngine, type Engine } from "./engine.ts";
import { createGenerations, GENERATIONS_BYTES } from "./generations.ts";

let dir: string;
let db: Database;
let engine: Engine;
let shared: Uint8Array;

function openEngine(
  file: string,
  memory: Uint8Array,
  sync: () => void | Promise<void> = () => undefined,
): { db: Database; engine: Engine } {
  const opened = new Database(file, { strict: true });
  opened.run("PRAGMA busy_timeout = 20");
  opened.run("PRAGMA journal_mode = WAL");
  const version = opened.prepare<{ data_version: number }, []>("PRAGMA data_version");
  const generations = createGenerations(memory, () => version.get()?.data_version ?? 0);
  return { db: opened, engine: createEngine(opened, generations, sync) };
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "wharf-engine-"));
  shared = new Uint8Array(GENERATIONS_BYTES);
  ({ db, engine } = openEngine(join(dir, "test.db"), shared));
  db.run("CREATE TABLE t (n INTEGER UNIQUE)");
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true });
});

const numbers = (): number[] =>
  db
    .query<{ n: number }, []>("SELECT n FROM t ORDER BY n")
    .all()
    .map((row) => row.n);
const insert = (n: number) => () => db.run("INSERT INTO t VALUES (?)", [n]).changes;

test("writes of one tick share a commit, and a failed one undoes itself alone", async () => {
  const before = Atomics.load(new Uint32Array(shared.buffer), 2);
  const results = await Promise.allSettled([
    engine.write([], insert(1)),
    engine.write([], () => {
      insert(2)();
      throw new Error("second thoughts");
    }),
    engine.write([], insert(1)),
    engine.write([], insert(3)),
  ]);
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
  expect(numbers()).toEqual([1, 3]);
  expect(Atomics.load(new Uint32Array(shared.buffer), 2) - before).toBe(1);
});

test("whatever is queued together, each write is wholly done or wholly undone, as it was told", async () => {
  // A job inserts its numbers, then fails or not; a number that is there already fails it too.
  const job = fc.record({ inserts: fc.array(fc.nat(12), { maxLength: 3 }), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(job, { maxLength: 8 }), { maxLength: 4 }), async (ticks) => {
      db.run("DELETE FROM t");
      const model = new Set<number>();
      for (const jobs of ticks) {
        const results = await Promise.allSettled(
          jobs.map(({ inserts, fails }) =>
            engine.write(["access"], () => {
              for (const n of inserts) insert(n)();
              if (fails) throw new Error("asked to");
            }),
          ),
        );
        for (const [index, { inserts, fails }] of jobs.entries()) {
          const isClean = new Set(inserts).size === inserts.length && inserts.every((n) => !model.has(n));
          expect(results[index]?.status).toBe(isClean && !fails ? "fulfilled" : "rejected");
          if (isClean && !fails) for (const n of inserts) model.add(n);
        }
      }
      expect(numbers()).toEqual([...model].sort((a, b) => a - b));
    }),
    { seed: 3, numRuns: 60 },
  );
});

test("a lone write that fails leaves nothing and the next one works", async () => {
  const failing = engine.write([], () => {
    insert(1)();
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  await engine.write([], insert(2));
  expect(numbers()).toEqual([2]);
});

test("work that returns a promise is refused and undone", async () => {
  const late = engine.write([], async () => insert(1)());
  await expect(late).rejects.toThrow("must be synchronous");
  expect(numbers()).toEqual([]);
});

test("a read sees one moment, joins a write it is called in, and may throw", async () => {
  expect(() =>
    engine.read(() => {
      throw new Error("inside");
    }),
  ).toThrow("inside");
  const seen = await engine.write([], () => {
    insert(7)();
    return engine.read(numbers);
  });
  expect(seen).toEqual([7]);
  expect(db.inTransaction).toBe(false);
});

test("a write waits for another process's transaction without holding the event loop", async () => {
  const other = new Database(join(dir, "test.db"));
  other.run("BEGIN IMMEDIATE");
  let isDone = false;
  const write = engine.write([], insert(1)).then(() => {
    isDone = true;
  });
  let turns = 0;
  while (turns < 3) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    turns++;
  }
  expect(isDone).toBe(false);
  other.run("COMMIT");
  await write;
  other.close();
  expect(numbers()).toEqual([1]);
});

test("a full disk fails what was queued with STORAGE_FULL, keeps what was there, and the engine goes on", async () => {
  await engine.write([], insert(1));
  db.run("CREATE TABLE big (bytes BLOB)");
  const pages = db.query<{ page_count: number }, []>("PRAGMA page_count").get()?.page_count ?? 0;
  db.run(`PRAGMA max_page_count = ${pages + 2}`);
  const results = await Promise.allSettled([
    engine.write([], insert(2)),
    engine.write([], () => db.run("INSERT INTO big VALUES (zeroblob(1000000))").changes),
  ]);
  const full = results[1];
  expect(full?.status === "rejected" && isAppError(full.reason, "STORAGE_FULL")).toBe(true);
  db.run("PRAGMA max_page_count = 1000000");
  await engine.write([], insert(3));
  expect(numbers()).toContain(1);
  expect(numbers()).toContain(3);
  // Acknowledged or refused, never one said and the other done.
  expect(numbers().includes(2)).toBe(results[0]?.status === "fulfilled");
});

test("a mark changes with what it covers, and with nothing else", async () => {
  const memory = new Uint8Array(GENERATIONS_BYTES);
  const generations = createGenerations(memory, () => 1);
  const app = generations.mark("team-a/app");
  const other = generations.mark("team-b/app");
  const access = generations.accessMark();
  const counted = createEngine(db, generations, () => undefined);
  await counted.write([{ repository: "team-a/app" }], insert(1));
  expect(generations.mark("team-a/app")).not.toBe(app);
  expect(generations.mark("team-b/app")).toBe(other);
  expect(generations.accessMark()).toBe(access);
  await counted.write(["access"], insert(2));
  expect(generations.mark("team-b/app")).not.toBe(other);
  expect(generations.accessMark()).not.toBe(access);
});

test("another process's commit that moved no counter makes everything stale within a millisecond", () => {
  let version = 1;
  let time = 0;
  const generations = createGenerations(
    new Uint8Array(GENERATIONS_BYTES),
    () => version,
    () => time,
  );
  const mark = generations.mark("a/b");
  time = 2;
  expect(generations.mark("a/b")).toBe(mark);
  version = 2;
  time = 4;
  expect(generations.mark("a/b")).not.toBe(mark);
});

test("an announced commit of another process moves only its own counters", () => {
  let version = 1;
  let time = 0;
  const memory = new Uint8Array(GENERATIONS_BYTES);
  const here = createGenerations(
    memory,
    () => version,
    () => time,
  );
  const there = createGenerations(memory, () => 1);
  const mark = here.mark("a/b");
  there.begin([100]);
  version = 2;
  there.end([100]);
  time = 2;
  expect(here.accessMark()).toBe(mark);
  // Killed between its commit and its second count.
  there.begin([100]);
  version = 3;
  time = 4;
  const afterDeath = here.accessMark();
  expect(afterDeath).not.toBe(mark);
  // The old death is not counted again.
  there.begin([100]);
  version = 4;
  there.end([100]);
  time = 6;
  expect(here.accessMark()).toBe(afterDeath);
});

test("nothing is acknowledged before the disk has it; what is written meanwhile shares the next commit", async () => {
  const syncs: { done: () => void; failed: (error: Error) => void }[] = [];
  const slow = openEngine(join(dir, "test.db"), shared, () => {
    const disk = Promise.withResolvers<void>();
    syncs.push({ done: disk.resolve, failed: disk.reject });
    return disk.promise;
  });
  const settled: string[] = [];
  const write = (n: number): Promise<unknown> =>
    slow.engine
      .write([], () => slow.db.run("INSERT INTO t VALUES (?)", [n]))
      .then(
        () => settled.push(`${n} done`),
        (error: Error) => settled.push(`${n} ${error.message}`),
      );
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  const first = write(1);
  while (syncs.length < 1) await turn();
  const others = [write(2), write(3)];
  for (let turns = 0; turns < 3; turns++) await turn();
  expect(settled).toEqual([]);
  expect(syncs.length).toBe(1);
  syncs[0]?.done();
  await first;
  while (syncs.length < 2) await turn();
  expect(settled).toEqual(["1 done"]);
  syncs[1]?.failed(new Error("the disk is gone"));
  await Promise.all(others);
  expect(settled).toEqual(["1 done", "2 the disk is gone", "3 the disk is gone"]);

  const last = write(4);
  while (syncs.length < 3) await turn();
  let isIdle = false;
  const idle = slow.engine.idle().then(() => {
    isIdle = true;
  });
  await turn();
  expect(isIdle).toBe(false);
  syncs[2]?.done();
  await Promise.all([last, idle]);
  slow.db.close();
});

test("a sync that throws acknowledges nothing, and the next write works", async () => {
  let isBroken = true;
  const here = openEngine(join(dir, "test.db"), shared, () => {
    if (isBroken) throw new Error("no disk");
  });
  const add = (n: number) => () => here.db.run("INSERT INTO t VALUES (?)", [n]).changes;
  await expect(here.engine.write([], add(1))).rejects.toThrow("no disk");
  isBroken = false;
  await here.engine.write([], add(2));
  expect(numbers()).toContain(2);
  here.db.close();
});
