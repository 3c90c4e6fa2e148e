import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Catalog, openCatalog } from "./catalog.ts";
import type { NewManifest } from "./content-contract.ts";

let dir: string;
let catalog: Catalog;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "wharf-content-"));
  catalog = await openCatalog({ dir });
  const db = new Database(join(dir, "wharf.db"));
  db.run(
    "INSERT INTO projects (name, visibility, created_at) VALUES ('team', 'private', 1), ('other', 'private', 1)",
  );
  db.close();
});
afterEach(async () => {
  await catalog.close();
  rmSync(dir, { recursive: true });
});

const digest = (n: number): string => `sha256:${n.toString(16).padStart(64, "0")}`;
const inline = (...bytes: number[]) => ({ kind: "inline" as const, bytes: new Uint8Array(bytes) });
const manifest = (n: number, more: Partial<NewManifest> = {}): NewManifest => ({
  digest: digest(n),
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  body: new Uint8Array([n]),
  artifactType: undefined,
  subject: undefined,
  annotations: {},
  references: [],
  ...more,
});
const all = { after: undefined, limit: 1000 };

test("a blob is seen through a link alone", async () => {
  await catalog.content.linkBlob("team/app", digest(1), inline(7, 8));
  expect(await catalog.content.findBlob("team/app", digest(1))).toEqual(inline(7, 8));
  expect(await catalog.content.findBlob("team/other", digest(1))).toBeUndefined();
  expect(await catalog.content.findBlob("other/app", digest(1))).toBeUndefined();
  expect(await catalog.content.mountBlob("other/app", digest(1), "team/none")).toBe(false);
  expect(await catalog.content.mountBlob("other/app", digest(2), "team/app")).toBe(false);
  expect(await catalog.content.mountBlob("other/app", digest(1), "team/app")).toBe(true);
  expect(await catalog.content.findBlob("other/app", digest(1))).toEqual(inline(7, 8));
  expect(await catalog.content.listHolders(digest(1), 10)).toEqual(["team/app", "other/app"]);
});

test("the same blob twice keeps its first object and gives the second back", async () => {
  const first = { kind: "object" as const, name: "first", sizeBytes: 5 };
  expect(await catalog.content.linkBlob("team/app", digest(1), first)).toEqual({ surplus: undefined });
  expect(await catalog.content.linkBlob("other/app", digest(1), { ...first, name: "second" })).toEqual({
    surplus: "second",
  });
  expect(await catalog.content.findBlob("other/app", digest(1))).toEqual(first);
});

test("an empty blob is a blob", async () => {
  await catalog.content.linkBlob("team/app", digest(1), inline());
  expect(await catalog.content.findBlob("team/app", digest(1))).toEqual(inline());
});

test("a repository needs its project", async () => {
  const linked = catalog.content.linkBlob("nobody/app", digest(1), inline(1));
  await expect(linked).rejects.toMatchObject({ code: "PROJECT_UNKNOWN" });
});

test("a manifest needs what it points to, in its own repository", async () => {
  await catalog.content.linkBlob("other/app", digest(1), inline(1));
  const references = [
    { kind: "blob" as const, digest: digest(1), required: true },
    { kind: "blob" as const, digest: digest(99), required: false },
  ];
  const put = (): Promise<void> =>
    catalog.content.putManifest("team/app", manifest(5, { references }), ["v1"]);
  await expect(put()).rejects.toMatchObject({ code: "MANIFEST_BLOB_UNKNOWN" });
  expect(await catalog.content.findTag("team/app", "v1")).toBeUndefined();
  await catalog.content.mountBlob("team/app", digest(1), "other/app");
  await put();
  expect(await catalog.content.findTag("team/app", "v1")).toMatchObject({
    digest: digest(5),
    body: new Uint8Array([5]),
  });
  expect(await catalog.content.deleteBlob("team/app", digest(1))).toBe("used");
  expect(await catalog.content.deleteBlob("other/app", digest(1))).toBe("deleted");
  expect(await catalog.content.deleteManifest("team/app", digest(5))).toBe("deleted");
  expect(await catalog.content.deleteManifest("team/app", digest(5))).toBe("unknown");
  expect(await catalog.content.findTag("team/app", "v1")).toBeUndefined();
  expect(await catalog.content.deleteBlob("team/app", digest(1))).toBe("deleted");
  expect(await catalog.content.deleteBlob("team/app", digest(1))).toBe("unknown");
});

test("an index needs its manifests in the same repository", async () => {
  const references = [{ kind: "manifest" as const, digest: digest(1), required: true }];
  await catalog.content.putManifest("team/other", manifest(1), []);
  const put = (): Promise<void> => catalog.content.putManifest("team/app", manifest(2, { references }), []);
  await expect(put()).rejects.toMatchObject({ code: "MANIFEST_BLOB_UNKNOWN" });
  await catalog.content.putManifest("team/app", manifest(1), []);
  await put();
  expect(await catalog.content.findManifest("team/app", digest(2))).toMatchObject({ digest: digest(2) });
});

test("a tag moves, and its move is seen in the mark", async () => {
  await catalog.content.putManifest("team/app", manifest(1), ["latest", "v1"]);
  const before = catalog.generations.mark("team/app");
  await catalog.content.putManifest("team/app", manifest(2), ["latest"]);
  expect(catalog.generations.mark("team/app")).not.toBe(before);
  expect(await catalog.content.findTag("team/app", "latest")).toMatchObject({ digest: digest(2) });
  expect(await catalog.content.findTag("team/app", "v1")).toMatchObject({ digest: digest(1) });
  expect(await catalog.content.deleteTag("team/app", "v1")).toBe("deleted");
  expect(await catalog.content.deleteTag("team/app", "v1")).toBe("unknown");
  expect(await catalog.content.findManifest("team/app", digest(1))).toMatchObject({ digest: digest(1) });
});

test("tags come in lexical order regardless of case, page by page, each once", async () => {
  const names = ["B", "a", "C", "b", "A", "v1.0", "V1.0", "v1.0-rc", "_x", "1"];
  await catalog.content.putManifest("team/app", manifest(1), names);
  const pages: string[] = [];
  for (let after: string | undefined; ; after = pages.at(-1)) {
    const page = await catalog.content.listTags("team/app", { after, limit: 3 });
    if (page === undefined || page.length === 0) break;
    pages.push(...page);
  }
  expect(pages).toEqual(["1", "_x", "A", "a", "B", "b", "C", "V1.0", "v1.0", "v1.0-rc"]);
  expect(await catalog.content.listTags("team/none", all)).toBeUndefined();
});

test("lists seek in an index: a deep page reads no more than the first", async () => {
  const db = new Database(join(dir, "wharf.db"));
  const plan = (sql: string): string =>
    db
      .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => row.detail)
      .join("; ");
  const tags = plan(
    "SELECT name FROM tags WHERE repository_id = 1 AND name COLLATE NOCASE >= 'x' AND (name COLLATE NOCASE > 'x' OR name > 'x') ORDER BY name COLLATE NOCASE, name LIMIT 5",
  );
  expect(tags).toContain("tags_in_order (repository_id=? AND name>?)");
  expect(tags).not.toContain("TEMP B-TREE");
  const referrers = plan(
    "SELECT digest FROM manifests WHERE repository_id = 1 AND subject = 's' AND digest > 'd' ORDER BY digest LIMIT 5",
  );
  expect(referrers).toContain("manifests_by_subject (repository_id=? AND subject=? AND digest>?)");
  db.close();
});

test("referrers: also of a subject that is not there, filtered, with what the list says of them", async () => {
  const subject = digest(100);
  const annotations = { note: "x" };
  await catalog.content.putManifest(
    "team/app",
    manifest(1, { subject, artifactType: "a/b", annotations }),
    [],
  );
  await catalog.content.putManifest("team/app", manifest(2, { subject, artifactType: "c/d" }), []);
  await catalog.content.putManifest("team/other", manifest(3, { subject, artifactType: "a/b" }), []);
  const list = await catalog.content.listReferrers("team/app", subject, {
    ...all,
    artifactType: undefined,
    maxBytes: 1e6,
  });
  expect(list.map((row) => row.digest)).toEqual([digest(1), digest(2)]);
  expect(
    await catalog.content.listReferrers("team/app", subject, { ...all, artifactType: "a/b", maxBytes: 1e6 }),
  ).toEqual([
    {
      digest: digest(1),
      mediaType: manifest(1).mediaType,
      sizeBytes: 1,
      artifactType: "a/b",
      annotations,
    },
  ]);
  expect(
    await catalog.content.listReferrers("none/app", subject, {
      ...all,
      artifactType: undefined,
      maxBytes: 1e6,
    }),
  ).toEqual([]);
});

test("a list of referrers ends before long annotations fill the memory, and can be walked to its end", async () => {
  const subject = digest(90);
  for (let n = 1; n <= 6; n++)
    await catalog.content.putManifest(
      "team/app",
      manifest(n, { subject, annotations: { long: "x".repeat(1000) } }),
      [],
    );
  const page = (after: string | undefined, maxBytes: number) =>
    catalog.content.listReferrers("team/app", subject, {
      after,
      limit: 4,
      artifactType: undefined,
      maxBytes,
    });
  expect((await page(undefined, 1e6)).length).toBe(4);
  expect((await page(undefined, 2_500)).length).toBe(3);
  expect((await page(undefined, 10)).length).toBe(2);
  const walked: string[] = [];
  for (let rows = await page(undefined, 10); rows.length > 0; rows = await page(walked.at(-1), 10))
    walked.push(...rows.map((row) => row.digest));
  expect(walked).toEqual([1, 2, 3, 4, 5, 6].map(digest));
});

test("repositories that hold a manifest, in order; those of a project with their counts", async () => {
  await catalog.content.putManifest("team/b", manifest(1), ["x", "y"]);
  await catalog.content.putManifest("team/a/deep", manifest(1), []);
  await catalog.content.putManifest("other/z", manifest(1), []);
  await catalog.content.linkBlob("team/empty", digest(5), inline(1));
  expect(await catalog.content.listRepositories(all, "all")).toEqual(["other/z", "team/a/deep", "team/b"]);
  expect(await catalog.content.listRepositories({ after: "other/z", limit: 1 }, "all")).toEqual([
    "team/a/deep",
  ]);
  expect(await catalog.content.listProjectRepositories("team", { after: "team/a/deep", limit: 9 })).toEqual([
    { name: "team/b", tags: 2, manifests: 1, createdAt: expect.any(Number) },
    { name: "team/empty", tags: 0, manifests: 0, createdAt: expect.any(Number) },
  ]);
});

test("a repository goes with all that is in it, and by itself when nothing is", async () => {
  await catalog.content.linkBlob("team/app", digest(1), inline(1));
  await catalog.content.putManifest("team/app", manifest(2), ["v1"]);
  expect(await catalog.content.deleteRepository("team/app")).toBe("deleted");
  expect(await catalog.content.deleteRepository("team/app")).toBe("unknown");
  expect(await catalog.content.findTag("team/app", "v1")).toBeUndefined();
  expect(await catalog.content.findBlob("team/app", digest(1))).toBeUndefined();
  await catalog.content.putManifest("team/app", manifest(2), ["v1"]);
  expect(await catalog.content.listTags("team/app", all)).toEqual(["v1"]);
  await catalog.content.deleteManifest("team/app", digest(2));
  expect(await catalog.content.listTags("team/app", all)).toBeUndefined();
});

test("what is committed is there for a second process", async () => {
  const second = await openCatalog({ dir });
  await catalog.content.putManifest("team/app", manifest(1), ["v1"]);
  expect(await second.content.findTag("team/app", "v1")).toMatchObject({ digest: digest(1) });
  await second.close();
});
