import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Catalog, openCatalog } from "./catalog.ts";
import type { NewManifest } from "./content-contract.ts";

let dir: string;
let catalog: Catalog;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "wharf-conversions-"));
  catalog = await openCatalog({ dir });
  for (const name of ["team", "other"])
    await catalog.write(["access"], () =>
      catalog.projects.create({ name, visibility: "private", description: "", createdAt: 1 }),
    );
});
afterEach(async () => {
  await catalog.close();
  rmSync(dir, { recursive: true });
});

const digest = (n: number): string => `sha256:${n.toString(16).padStart(64, "0")}`;
const IMAGE = 1;
const INDEX = 2;
const RESULT = 10;
const BYTES = 11;
const object = (name: string) => ({ kind: "object" as const, name, sizeBytes: 5 });
const manifest = (n: number, references: NewManifest["references"] = []): NewManifest => ({
  digest: digest(n),
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  body: new Uint8Array([n]),
  artifactType: undefined,
  subject: undefined,
  annotations: {},
  references,
});
const refersTo = (kind: "blob" | "manifest", n: number) => ({ kind, digest: digest(n), required: true });
const put = (n: number, tags: readonly string[], references?: NewManifest["references"]): Promise<void> =>
  catalog.content.putManifest("team/app", manifest(n, references), tags);
const keep = (name = "object") =>
  catalog.content.keepConversion(
    "team/app",
    {
      manifest: manifest(RESULT, [refersTo("blob", BYTES)]),
      blobs: [{ digest: digest(BYTES), place: object(name) }],
    },
    { source: digest(IMAGE), format: "sif", sizeBytes: 5 },
  );
const find = () => catalog.content.findConversion("team/app", digest(IMAGE), "sif");
const dropped = async (): Promise<readonly string[]> => {
  const keys: string[] = [];
  for (;;) {
    const take = { kinds: ["drop-object"], holder: "a", leaseMs: 1000, maxRunning: 9, maxAttempts: 3 };
    const job = await catalog.write([], () => catalog.jobs.take(take));
    if (job === undefined) return keys;
    keys.push(job.key);
  }
};

test("what was made of an image is found by it, and counted", async () => {
  await put(IMAGE, ["v1"]);
  expect(await keep()).toEqual({ kept: true, surplus: [] });
  expect((await find())?.digest).toBe(digest(RESULT));
  expect(await catalog.content.findConversion("team/app", digest(IMAGE), "sqsh")).toBeUndefined();
  expect(await catalog.content.findConversion("other/app", digest(IMAGE), "sif")).toBeUndefined();
  expect(await catalog.content.countConversions("team")).toEqual({ results: 1, sizeBytes: 5 });
  expect(await catalog.content.countConversions("other")).toEqual({ results: 0, sizeBytes: 0 });
  expect(await keep("second")).toEqual({ kept: true, surplus: ["second"] });
  expect(await dropped()).toEqual([]);
});

const endings: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["its image is deleted", () => catalog.content.deleteManifest("team/app", digest(IMAGE))],
  ["its tag is deleted", () => catalog.content.deleteTag("team/app", "v1")],
  ["its tag moves", () => put(5, ["v1"])],
  ["it is deleted itself", () => catalog.content.deleteManifest("team/app", digest(RESULT))],
  ["its repository is deleted", () => catalog.content.deleteRepository("team/app")],
  [
    "its project is deleted",
    () => catalog.write(["access"], () => catalog.projects.remove(catalog.projects.find("team")?.id ?? 0)),
  ],
];
for (const [what, end] of endings)
  test(`it goes with its manifest, its link and its bytes when ${what}`, async () => {
    await put(IMAGE, ["v1"]);
    await keep();
    await end();
    expect(await find()).toBeUndefined();
    expect(await catalog.content.findManifest("team/app", digest(RESULT))).toBeUndefined();
    expect(await catalog.content.findBlob("team/app", digest(BYTES))).toBeUndefined();
    expect(await dropped()).toEqual(["object"]);
  });

test("an index with a tag names its images", async () => {
  await put(IMAGE, []);
  expect(await keep()).toEqual({ kept: false, surplus: ["object"] });
  await put(INDEX, ["v1"], [refersTo("manifest", IMAGE)]);
  expect((await keep()).kept).toBe(true);
  await put(5, ["v2"]);
  expect(await find()).toBeDefined();
  await catalog.content.deleteTag("team/app", "v1");
  expect(await find()).toBeUndefined();
});

test("bytes that another repository has stay; so does a result that somebody tagged", async () => {
  await put(IMAGE, ["v1"]);
  await keep();
  await catalog.content.mountBlob("other/app", digest(BYTES), "team/app");
  await catalog.content.deleteTag("team/app", "v1");
  expect(await dropped()).toEqual([]);
  expect(await catalog.content.findBlob("other/app", digest(BYTES))).toEqual(object("object"));

  await put(IMAGE, ["v1"]);
  await keep();
  await put(RESULT, ["mine"]);
  await catalog.content.deleteTag("team/app", "v1");
  expect((await catalog.content.findTag("team/app", "mine"))?.digest).toBe(digest(RESULT));
  expect(await catalog.content.findBlob("team/app", digest(BYTES))).toBeDefined();
});

test("what comes too late leaves nothing behind", async () => {
  await put(IMAGE, ["v1"]);
  await catalog.content.deleteManifest("team/app", digest(IMAGE));
  expect(await keep()).toEqual({ kept: false, surplus: ["object"] });
  expect(await catalog.content.listProjectRepositories("team", { after: undefined, limit: 10 })).toEqual([]);
});
