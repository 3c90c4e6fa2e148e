import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BlobStore, openFolderStore } from "#blobs";
import { type Catalog, type Job, openCatalog } from "#catalog";
import { AppError, silentLogger } from "#core";
import { until } from "../../test/support/until.ts";
import { jobKinds } from "./all.ts";
import type { JobKind } from "./contract.ts";
import { jobKindNames } from "./kind-names.ts";
import { jobLimits } from "./limits.ts";
import { workOff } from "./work-off.ts";

const IMAGE = `sha256:${"1".repeat(64)}`;

let dir: string;
let catalog: Catalog;
let blobs: BlobStore;
let stop: AbortController;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "wharf-work-"));
  catalog = await openCatalog({ dir });
  blobs = await openFolderStore({ dir });
  stop = new AbortController();
  await catalog.write(["access"], () =>
    catalog.projects.create({ name: "team", visibility: "private", description: "", createdAt: 1 }),
  );
  const bare = { artifactType: undefined, subject: undefined, annotations: {}, references: [] };
  await catalog.content.putManifest(
    "team/app",
    {
      digest: IMAGE,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      body: new Uint8Array(1),
      ...bare,
    },
    ["v1"],
  );
});
afterEach(async () => {
  await catalog.close();
  await blobs.close();
  rmSync(dir, { recursive: true });
});

const enqueue = (key: string): Promise<Job | undefined> =>
  catalog.write([], () =>
    catalog.jobs.enqueue({
      kind: "convert-image",
      key,
      payload: "{}",
      project: "team",
      repository: "team/app",
      manifest: IMAGE,
    }),
  );
const find = (key: string): Job | undefined => catalog.read(() => catalog.jobs.find("convert-image", key));
const work = (run: JobKind["run"], leaseMs = 60_000, maxRunMs = 60_000): Promise<number> =>
  workOff(
    { catalog, blobs },
    { kinds: [{ kind: "convert-image", run }], holder: "a", leaseMs, maxRunMs },
    { signal: stop.signal, log: silentLogger },
  );

test("every kind has its name in the list that loads nothing", () => {
  expect(jobKinds.map(({ kind }) => kind).sort()).toEqual([...jobKindNames].sort());
});

test("what is due is done, one after the other", async () => {
  for (const key of ["one", "two", "three"]) await enqueue(key);
  const seen: string[] = [];
  let atOnce = 0;
  const begun = await work(async (job) => {
    expect(++atOnce).toBe(1);
    await Bun.sleep(1);
    seen.push(job.key);
    atOnce--;
  });
  expect([begun, seen]).toEqual([3, ["one", "two", "three"]]);
  expect(catalog.read(() => catalog.jobs.countByState())).toEqual([]);
  expect(await work(() => Promise.reject(new Error("never")))).toBe(0);
});

test("an input at fault is failed at once, with its words; a fault of the machine waits, and tells nobody its paths", async () => {
  await enqueue("bad");
  await enqueue("unlucky");
  await work((job) =>
    Promise.reject(
      job.key === "bad"
        ? new AppError("IMAGE_INVALID", "a layer is no tar")
        : new AppError("STORAGE_FAILED", "reading /srv/secret failed"),
    ),
  );
  expect(find("bad")).toMatchObject({
    state: "failed",
    attempts: 1,
    error: { code: "IMAGE_INVALID", message: "a layer is no tar" },
  });
  expect(find("unlucky")).toMatchObject({ state: "waiting", attempts: 1, error: { code: "STORAGE_FAILED" } });
  expect(find("unlucky")?.error?.message).not.toContain("/srv");
});

test("stopped, a job is given back and nothing else is begun", async () => {
  await enqueue("one");
  await enqueue("two");
  const begun = await work(async (_, __, { signal }) => {
    stop.abort();
    signal.throwIfAborted();
  });
  expect(begun).toBe(1);
  for (const key of ["one", "two"]) expect(find(key)).toMatchObject({ state: "waiting", attempts: 0 });
});

test("a lease is made longer while its job runs; a job whose image goes is stopped", async () => {
  await enqueue("one");
  const leaseUntil = (): number => {
    const db = new Database(join(dir, "wharf.db"), { readonly: true });
    const row = db.query<{ at: number }, []>("SELECT lease_until AS at FROM jobs").get();
    db.close();
    return row?.at ?? 0;
  };
  await work(async (_, __, { signal }) => {
    const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    const first = leaseUntil();
    await until("the lease is renewed", () => leaseUntil() > first || undefined, 30_000);
    await catalog.content.deleteManifest("team/app", IMAGE);
    await ended;
    signal.throwIfAborted();
  }, 300);
  expect(catalog.read(() => catalog.jobs.countByState())).toEqual([]);
}, 60_000);

test("what takes too long is ended, and not begun again", async () => {
  await enqueue("endless");
  const run: JobKind["run"] = (_, __, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("ended"))));
  expect(await work(run, 60_000, 10)).toBe(1);
  expect(find("endless")).toMatchObject({ state: "failed", attempts: 1, error: { code: "TOO_LARGE" } });
});

test("leases are long enough to be renewed late twice", () => {
  expect(jobLimits.leaseMs / 3).toBeGreaterThanOrEqual(5000);
});
