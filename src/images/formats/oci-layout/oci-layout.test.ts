import { afterAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { silentLogger } from "#core";
import { type MemoryContent, memoryContent } from "../../../../test/support/memory-content.ts";
import { needs, programPath } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import { readGraph } from "../../copy/image-graph.ts";
import { createLocalFileSink } from "../../sinks/local-file.ts";
import { renderLayoutIndex } from "./layout-index.ts";
import { blobPath, type LayoutItem } from "./layout-item.ts";
import { writeLayoutArchive } from "./write-layout-archive.ts";
import { writeLayoutFolder } from "./write-layout-folder.ts";

const scratch = createScratch("layout");
afterAll(() => {
  scratch.remove();
});
const context = { signal: new AbortController().signal, log: silentLogger };
const amd64 = { os: "linux", architecture: "amd64" };
const arm64 = { os: "linux", architecture: "arm64" };
const NAME = "registry.example.org/team/app:1";

const both = memoryContent(`docker://${NAME}`, {
  layers: [
    [{ path: "etc/name", content: "lower" }],
    [{ path: "big", content: Buffer.alloc(700_000, "abc") }],
  ],
  platforms: [amd64, arm64],
  run: { Cmd: ["/bin/x"] },
});
const other = memoryContent("docker://registry.example.org/team/other:2", {
  layers: [[{ path: "etc/name", content: "lower" }], [{ path: "more", content: "x" }]],
});

async function item(content: MemoryContent, name: string | undefined, wanted?: "all"): Promise<LayoutItem> {
  const choice = wanted ?? { platform: amd64, isAsked: false };
  return { content, graph: await readGraph(context, content, choice), name };
}

async function archive(path: string, items: readonly LayoutItem[]): Promise<Buffer> {
  const sink = await createLocalFileSink(scratch.at(path), { mode: 0o644 });
  try {
    await sink.finish((await writeLayoutArchive(items, sink, context)).sizeBytes);
  } finally {
    await sink.abort();
  }
  return readFileSync(scratch.at(path));
}

interface Index {
  readonly manifests: readonly { readonly digest: string; readonly annotations?: Record<string, string> }[];
}

const indexOf = (folder: string): Index => JSON.parse(readFileSync(scratch.at(folder, "index.json"), "utf8"));
const namesIn = (folder: string): unknown[] =>
  indexOf(folder).manifests.map(({ annotations }) => annotations?.["org.opencontainers.image.ref.name"]);

test("a whole index keeps every manifest and blob byte for byte, the image for one platform its own", async () => {
  await writeLayoutFolder([await item(both, "all", "all")], scratch.at("whole"), context);
  for (const [digest, bytes] of [...both.blobs, ...both.manifests])
    expect(readFileSync(scratch.at("whole", blobPath(digest))).equals(bytes)).toBe(true);
  expect(indexOf("whole").manifests[0]?.digest).toBe(both.root.digest);
  await writeLayoutFolder([await item(both, "one")], scratch.at("one"), context);
  expect(indexOf("one").manifests[0]?.digest).toBe(both.images.get("linux/amd64")?.digest ?? "");
});

test("images are added to a layout that is there: same name replaces, blobs that are there are not fetched", async () => {
  const folder = scratch.at("added");
  await writeLayoutFolder([await item(both, "a")], folder, context);
  await writeLayoutFolder([await item(other, "b")], folder, context);
  expect(namesIn("added")).toEqual(["a", "b"]);
  const reads = both.reads;
  const { sizeBytes } = await writeLayoutFolder([await item(both, "b")], folder, context);
  expect({ sizeBytes, reads: both.reads }).toEqual({ sizeBytes: 0, reads });
  expect(namesIn("added")).toEqual(["a", "b"]);
  expect(indexOf("added").manifests[1]?.digest).toBe(both.images.get("linux/amd64")?.digest ?? "");
});

test("what others wrote into an index stays, and what is no index is refused", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const foreign = { mediaType: "application/x", digest, size: 3, "org.example": 7 };
  const current = new TextEncoder().encode(
    JSON.stringify({ schemaVersion: 2, annotations: { k: "v" }, manifests: [foreign] }),
  );
  const added = JSON.parse(
    new TextDecoder().decode(renderLayoutIndex([{ descriptor: both.root, name: "n" }], current)),
  );
  expect(added.annotations).toEqual({ k: "v" });
  expect(added.manifests[0]).toEqual(foreign);
  expect(added.manifests).toHaveLength(2);
  for (const text of ["", "[]", '{"schemaVersion":2,"layers":[],"manifests":[]}'])
    expect(() => renderLayoutIndex([], new TextEncoder().encode(text))).toThrow();
});

test("a folder that holds something else is left alone", async () => {
  mkdirSync(scratch.at("mine"));
  writeFileSync(scratch.at("mine/file"), "");
  const written = writeLayoutFolder([await item(other, "x")], scratch.at("mine"), context);
  await expect(written).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
});

test("two images of one name are refused before anything is written", async () => {
  const items = [await item(both, "same"), await item(other, "same")];
  await expect(writeLayoutFolder(items, scratch.at("same"), context)).rejects.toMatchObject({
    code: "USAGE",
  });
  await expect(archive("same.tar", items)).rejects.toMatchObject({ code: "USAGE" });
  expect(() => statSync(scratch.at("same"))).toThrow("ENOENT");
});

test("an image that breaks off is in no index, and its blobs have no names", async () => {
  const broken = memoryContent("docker://x/y:1", { layers: [[{ path: "a" }], [{ path: "b" }]] });
  const graph = (await item(broken, "x")).graph;
  const last = graph.blobs.at(-1)?.digest ?? "";
  broken.blobs.delete(last);
  const folder = scratch.at("broken");
  const written = writeLayoutFolder([{ content: broken, graph, name: "x" }], folder, context);
  await expect(written).rejects.toMatchObject({ code: "BLOB_UNKNOWN" });
  expect(() => statSync(`${folder}/index.json`)).toThrow("ENOENT");
  expect(() => statSync(`${folder}/${blobPath(last)}`)).toThrow("ENOENT");
});

test("CVE-2024-3727: what is no digest never becomes a path", () => {
  for (const digest of ["sha256:../../../etc/x", "../x", "sha256:abc", `sha256:${"a".repeat(63)}/`, ""])
    expect(() => blobPath(digest)).toThrow(expect.objectContaining({ code: "DIGEST_INVALID" }));
});

test("CVE-2021-41190: what is an index and an image at once is copied as neither", async () => {
  const text = JSON.stringify({ schemaVersion: 2, manifests: [], layers: [], config: {} });
  const bytes = new TextEncoder().encode(text);
  const content = { ...other, readManifest: () => Promise.resolve(bytes) };
  await expect(readGraph(context, content, "all")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
});

test("an archive of several images holds each blob once, and is the same bytes every time", async () => {
  const make = async (): Promise<LayoutItem[]> => [await item(both, NAME, "all"), await item(other, "t/o:2")];
  const first = await archive("bundle.tar", await make());
  expect(first.equals(await archive("again.tar", await make()))).toBe(true);
  const listed = (await mustRun(["tar", "-tf", scratch.at("bundle.tar")])).split("\n").slice(0, -1);
  expect(new Set(listed).size).toBe(listed.length);
  expect(listed.slice(0, 4)).toEqual(["oci-layout", "index.json", "blobs/", "blobs/sha256/"]);
  expect(listed).toHaveLength(
    4 +
      new Set(
        [...both.blobs, ...both.manifests, ...other.blobs, ...other.manifests].map(([digest]) => digest),
      ).size,
  );
});

needs("skopeo")("skopeo reads both, and copies a whole index on", async () => {
  await writeLayoutFolder([await item(both, "v1", "all")], scratch.at("skopeo"), context);
  await archive("skopeo.tar", [await item(both, NAME, "all"), await item(other, "other")]);
  const skopeo = programPath("skopeo");
  const inspect = async (name: string): Promise<{ readonly Layers: readonly string[] }> =>
    JSON.parse(await mustRun([skopeo, "inspect", "--override-arch", "arm64", name]));
  const layers = (await item(both, "x")).graph.blobs.slice(1).map(({ digest }) => digest);
  expect((await inspect(`oci:${scratch.at("skopeo")}:v1`)).Layers).toEqual(layers);
  expect((await inspect(`oci-archive:${scratch.at("skopeo.tar")}:${NAME}`)).Layers).toEqual(layers);
  const copy = [skopeo, "copy", "-q", "--all", "--preserve-digests", `oci:${scratch.at("skopeo")}:v1`];
  await mustRun([...copy, `dir:${scratch.at("dir")}`]);
  expect(
    readFileSync(scratch.at("dir/manifest.json")).equals(
      both.manifests.get(both.root.digest) ?? Buffer.alloc(0),
    ),
  ).toBe(true);
});

needs("umoci")("umoci lists and unpacks it", async () => {
  await writeLayoutFolder([await item(other, "two")], scratch.at("umoci"), context);
  const umoci = programPath("umoci");
  expect(await mustRun([umoci, "ls", "--layout", scratch.at("umoci")])).toBe("two\n");
  const flags = process.getuid?.() === 0 ? [] : ["--rootless"];
  await mustRun([umoci, "unpack", ...flags, "--image", `${scratch.at("umoci")}:two`, scratch.at("unpacked")]);
  expect(readFileSync(scratch.at("unpacked/rootfs/more"), "utf8")).toBe("x");
});
