import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#system";
import { type Catalog, openCatalog } from "./catalog.ts";
import type { Job, NewJob } from "./job-store.ts";

let dir: string;
let first: Catalog;
let second: Catalog;
let now: number;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "wharf-jobs-"));
  now = 1_000_000;
  const clock = { ...systemClock, now: () => now };
  first = await openCatalog({ dir, clock });
  second = await openCatalog({ dir, clock });
  await first.write(["access"], () =>
    first.projects.create({ name: "team", visibility: "private", description: "", createdAt: 1 }),
  );
  for (const n of [1, 2, 3]) await put(n);
});
afterEach(async () => {
  await first.close();
  await second.close();
  rmSync(dir, { recursive: true });
});

const digest = (n: number): string => `sha256:${n.toString(16).padStart(64, "0")}`;
const mediaType = "application/vnd.oci.image.manifest.v1+json";

async function put(n: number): Promise<void> {
  const bare = { artifactType: undefined, subject: undefined, annotations: {}, references: [] };
  await first.content.putManifest(
    "team/app",
    { digest: digest(n), mediaType, body: new Uint8Array([n]), ...bare },
    [`v${n}`],
  );
}

const about = (n: number): NewJob => ({
  kind: "test",
  key: `key ${n}`,
  payload: "{}",
  project: "team",
  repository: "team/app",
  manifest: digest(n),
});
const enqueue = (n: number, catalog = first): Promise<Job | undefined> =>
  catalog.write([], () => catalog.jobs.enqueue(about(n)));
const options = { kinds: ["test"], leaseMs: 1000, maxRunning: 1, maxAttempts: 3 };
const take = (
  catalog: Catalog,
  holder: string,
  more: Partial<typeof options> = {},
): Promise<Job | undefined> => catalog.write([], () => catalog.jobs.take({ ...options, holder, ...more }));
const find = (n: number): Job | undefined => first.read(() => first.jobs.find("test", `key ${n}`));
const isDue = (): boolean => second.read(() => second.jobs.isDue(["test"], 1));

test("a key is one job, and one process has it", async () => {
  expect(isDue()).toBe(false);
  const [one, two] = await Promise.all([enqueue(1), enqueue(1, second)]);
  expect(one?.id).toBe(two?.id ?? 0);
  expect(isDue()).toBe(true);
  const taken = await Promise.all([take(first, "a"), take(second, "b"), take(first, "c")]);
  expect(
    taken.filter((job) => job !== undefined).map(({ attempts, state }) => ({ attempts, state })),
  ).toEqual([{ attempts: 1, state: "running" }]);
  expect(isDue()).toBe(false);
});

test("so many run at once and no more; the oldest first, of the kinds that were asked for", async () => {
  for (const n of [2, 1, 3]) await enqueue(n);
  expect((await take(first, "a", { maxRunning: 2 }))?.key).toBe("key 2");
  expect((await take(second, "b", { maxRunning: 2 }))?.key).toBe("key 1");
  expect(await take(second, "b", { maxRunning: 2 })).toBeUndefined();
  expect(await take(second, "b", { maxRunning: 3, kinds: ["other"] })).toBeUndefined();
});

test("a lease that is renewed holds; one that ended is another's, and the first cannot finish what it lost", async () => {
  await enqueue(1);
  const { id } = (await take(first, "a")) as Job;
  now += 900;
  expect(await first.write([], () => first.jobs.renew(id, "a", 1000))).toBe(true);
  now += 900;
  expect(await take(second, "b")).toBeUndefined();
  now += 100;
  expect(isDue()).toBe(true);
  expect((await take(second, "b"))?.attempts).toBe(2);
  expect(await first.write([], () => first.jobs.renew(id, "a", 1000))).toBe(false);
  await first.write([], () => first.jobs.finish(id, "a"));
  await first.write([], () => first.jobs.release(id, "a"));
  await first.write([], () =>
    first.jobs.fail(id, "a", { error: { code: "INTERNAL", message: "" }, again: true, pauseMs: 0 }),
  );
  expect(find(1)).toMatchObject({ state: "running", attempts: 2, error: undefined });
  await second.write([], () => second.jobs.finish(id, "b"));
  expect(find(1)).toBeUndefined();
});

test("a job that was given back counts as never begun", async () => {
  await enqueue(1);
  const { id } = (await take(first, "a")) as Job;
  await first.write([], () => first.jobs.release(id, "a"));
  expect(find(1)).toMatchObject({ state: "waiting", attempts: 0 });
});

test("what kills its holder is failed in the end", async () => {
  await enqueue(1);
  for (const attempts of [1, 2, 3]) {
    expect((await take(first, `holder ${attempts}`))?.attempts).toBe(attempts);
    now += 1000;
  }
  expect(await take(first, "another")).toBeUndefined();
  expect(find(1)).toMatchObject({ state: "failed", error: { code: "INTERNAL" } });
  expect(isDue()).toBe(false);
});

test("a setback waits, or is final; asked anew when it may pass, never when it cannot", async () => {
  const error = { code: "STORAGE_FULL", message: "no room" };
  const fail = async (
    n: number,
    setback: { again: true; pauseMs: number } | { again: false; askAgainMs: number | undefined },
  ) => {
    const { id } = (await take(first, "a")) as Job;
    await first.write([], () => first.jobs.fail(id, "a", { error, ...setback }));
    return find(n);
  };
  await enqueue(1);
  expect(await fail(1, { again: true, pauseMs: 500 })).toMatchObject({ state: "waiting", error });
  expect(await take(first, "a")).toBeUndefined();
  now += 500;
  expect(await fail(1, { again: false, askAgainMs: 5000 })).toMatchObject({ state: "failed", attempts: 2 });
  expect(await enqueue(1)).toMatchObject({ state: "failed" });
  now += 5000;
  expect(await enqueue(1)).toMatchObject({ state: "waiting", attempts: 0, error: undefined });
  expect(await fail(1, { again: false, askAgainMs: undefined })).toMatchObject({ state: "failed" });
  now += 1e12;
  expect(await enqueue(1)).toMatchObject({ state: "failed", error });
  const { id } = first.read(() => first.projects.find("team")) as { id: number };
  expect(first.read(() => first.jobs.listOfProject(id, 10)).map(({ key }) => key)).toEqual(["key 1"]);
  await first.write([], () => first.jobs.forgetFailed(id));
  expect(await enqueue(1)).toMatchObject({ state: "waiting" });
});

test("a job goes with its image, and there is none without", async () => {
  await enqueue(1);
  const { id } = (await take(first, "a")) as Job;
  await first.content.deleteManifest("team/app", digest(1));
  expect(find(1)).toBeUndefined();
  expect(await first.write([], () => first.jobs.renew(id, "a", 1000))).toBe(false);
  expect(await enqueue(1)).toBeUndefined();
  expect(first.read(() => first.jobs.countByState())).toEqual([]);
});
