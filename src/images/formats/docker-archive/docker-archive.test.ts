import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { silentLogger } from "#core";
import { memoryContent } from "../../../../test/support/memory-content.ts";
import { needs, programPath } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import { createLocalFileSink } from "../../sinks/local-file.ts";
import { openView } from "../../sources/open-view.ts";
import { type ArchivedImage, writeDockerArchive } from "./write-docker-archive.ts";

const scratch = createScratch("docker-archive");
afterAll(() => {
  scratch.remove();
});
const context = { signal: new AbortController().signal, log: silentLogger };
const choice = { platform: { os: "linux", architecture: "amd64" }, isAsked: false };

const shared = [{ path: "etc/name", content: "lower" }];
const one = memoryContent("docker://example.org/one:1", {
  layers: [shared, [{ path: "big", content: Buffer.alloc(700_000, "abc") }], shared],
});
const two = memoryContent("docker://example.org/two:2", { layers: [shared, [{ path: "x", content: "x" }]] });

async function archive(name: string, images: readonly ArchivedImage[]): Promise<string> {
  const sink = await createLocalFileSink(scratch.at(name), { mode: 0o644 });
  try {
    await sink.finish((await writeDockerArchive(images, sink, context)).sizeBytes);
  } finally {
    await sink.abort();
  }
  return scratch.at(name);
}

async function both(): Promise<ArchivedImage[]> {
  return [
    { view: await openView(context, one, choice), tags: ["example.org/one:1", "example.org/one:latest"] },
    { view: await openView(context, two, choice), tags: ["example.org/two:2"] },
  ];
}

interface ManifestEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

test("each layer is there once, uncompressed, under its diff ID, and the bytes are the same every time", async () => {
  const path = await archive("a.tar", await both());
  expect(readFileSync(path).equals(readFileSync(await archive("b.tar", await both())))).toBe(true);
  const read = async (name: string): Promise<string> => mustRun(["tar", "-xOf", path, name]);
  const manifest: readonly ManifestEntry[] = JSON.parse(await read("manifest.json"));
  expect(manifest.map(({ RepoTags }) => RepoTags)).toEqual([
    ["example.org/one:1", "example.org/one:latest"],
    ["example.org/two:2"],
  ]);
  const listed = (await mustRun(["tar", "-tf", path])).split("\n").slice(0, -1);
  expect(listed).toHaveLength(1 + 2 + 3);
  for (const name of manifest.flatMap(({ Layers }) => Layers)) {
    const out = Bun.spawnSync(["tar", "-xOf", path, name]).stdout;
    expect(`${new Bun.CryptoHasher("sha256").update(out).digest("hex")}.tar`).toBe(name);
  }
});

test("a layer that is not what the config says is refused", async () => {
  const images = await both();
  const [layer] = images[1]?.view.layers ?? [];
  const view = images[0]?.view;
  if (layer === undefined || view === undefined) throw new Error("no layer");
  const lying = { ...view, layers: [{ ...layer, diffId: view.layers[1]?.diffId }] };
  await expect(archive("bad.tar", [{ view: lying, tags: [] }])).rejects.toMatchObject({
    code: "DIGEST_INVALID",
  });
  const unsaid = { ...view, layers: [{ ...layer, diffId: undefined }] };
  await expect(archive("worse.tar", [{ view: unsaid, tags: [] }])).rejects.toMatchObject({
    code: "IMAGE_INVALID",
  });
});

needs("skopeo")("skopeo finds every image in it, and their layers are the same", async () => {
  const path = await archive("skopeo.tar", await both());
  for (const image of await both()) {
    const name = `docker-archive:${path}:${image.tags[0]}`;
    const config = JSON.parse(await mustRun([programPath("skopeo"), "inspect", "--config", name]));
    expect(config.rootfs.diff_ids).toEqual(image.view.config.diffIds.map(({ text }) => text));
    await mustRun([
      programPath("skopeo"),
      "copy",
      "-q",
      name,
      `dir:${scratch.at(`dir-${image.view.config.digest.slice(7, 12)}`)}`,
    ]);
  }
});
