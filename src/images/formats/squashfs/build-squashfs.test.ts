import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { AppError, type Context, silentLogger } from "#core";
import { digestOf, parseDigest } from "#oci";
import { listTree } from "../../../../test/support/list-tree.ts";
import { createContentRecorder, memoryLayer } from "../../../../test/support/memory-layer.ts";
import { needs, needsThat, programPath } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import { fileNode, noiseBytes, textBytes } from "../../../../test/support/squashfs-trees.ts";
import { renderTarItems, type TarItem } from "../../../../test/support/tar-writer.ts";
import { describeTree, type TreeLines } from "../../../../test/support/tree-lines.ts";
import type { LayerBlob, LayerIndex, Sink, TreeNode } from "../../contract.ts";
import { mergeLayers } from "../../layers/merge-layers.ts";
import { readLayer } from "../../layers/read-layer.ts";
import { createLocalFileSink } from "../../sinks/local-file.ts";
import { type BuildSquashfsOptions, type BuiltSquashfs, buildSquashfs } from "./build-squashfs.ts";

const scratch = createScratch("build-squashfs");
afterAll(() => {
  scratch.remove();
});
let made = 0;

const isRoot = process.getuid?.() === 0;
const extracts = isRoot ? needs("unsquashfs") : needsThat(false, "needs root");
const context: Context = { signal: new AbortController().signal, log: silentLogger };
const options = { codec: { name: "zstd", level: 1 }, blockBytes: 4096, workers: 2 } as const;

const large = textBytes(50_000, 1);
const stack: readonly (readonly TarItem[])[] = [
  [
    { path: "etc/", mtime: 100 },
    { path: "etc/passwd", content: "root", mode: 0o600, mtime: 5 },
    { path: "etc/gone", content: textBytes(9000, 2) },
    { path: "var/cache/one", content: textBytes(20_000, 3) },
    { path: "linked", content: large, uid: 7 },
    { path: "bin/tool", content: noiseBytes(30_000), mode: 0o4755 },
  ],
  [
    { path: "second", type: "1", linkTarget: "linked" },
    { path: "etc/passwd", content: "root and others", mtime: 6 },
    { path: "copy", content: large },
    { path: "twice", content: "first" },
    { path: "twice", content: textBytes(5000, 4) },
  ],
  [
    { path: ".wh.linked" },
    { path: "etc/.wh.gone" },
    { path: "var/cache/.wh..wh..opq" },
    { path: "var/cache/two", content: "two" },
  ],
];

extracts(
  "layers become one file system: whiteouts, opaque folders, a hard link to what is hidden",
  async () => {
    const layers = stack.map((items, number) =>
      memoryLayer(renderTarItems(items), number === 0 ? "gzip" : number === 1 ? "zstd" : "plain"),
    );
    const entries = await buildAndExtract(layers, options);
    expect(entries).toEqual(describeTree(await expectedTree(layers)));
    expect([...entries.keys()]).toEqual([
      "",
      "bin",
      "bin/tool",
      "copy",
      "etc",
      "etc/passwd",
      "second",
      "twice",
      "var",
      "var/cache",
      "var/cache/two",
    ]);
  },
);

test("the bytes do not depend on workers, nor on how layers are compressed; what is dead is told", async () => {
  const digests = new Set<string>();
  for (const [workers, packed] of [
    [1, "plain"],
    [2, "gzip"],
    [5, "zstd"],
  ] as const) {
    const layers = stack.map((items) => memoryLayer(renderTarItems(items), packed));
    const path = scratch.at(`bytes-${made++}`);
    const built = await build(layers, path, { ...options, workers });
    expect(built.deadBytes).toBe("first".length);
    digests.add(createHash("sha256").update(readFileSync(path)).digest("hex"));
  }
  expect(digests.size).toBe(1);
});

extracts("a format changes the tree before it is written, and sees how programs begin", async () => {
  const program = Buffer.concat([Buffer.from("\x7fELF\x02\x01\x01", "latin1"), noiseBytes(200)]);
  const layers = [
    memoryLayer(
      renderTarItems([
        { path: "bin/sh", content: program, mode: 0o755 },
        { path: "bin/script", content: "#!/bin/sh\n".repeat(20), mode: 0o755 },
        { path: "etc/hosts", content: "of the build" },
      ]),
    ),
  ];
  let heads: (Uint8Array | undefined)[] = [];
  const entries = await buildAndExtract(layers, {
    ...options,
    edit(root, headOf) {
      const bin = root.children?.get("bin")?.children;
      heads = ["sh", "script"].map((name) => headOf(bin?.get(name) as TreeNode));
      root.children?.get("etc")?.children?.set("hosts", fileNode(""));
      root.children?.set("made", fileNode(textBytes(10_000, 9), { mode: 0o755 }));
      bin?.delete("script");
    },
  });
  expect(heads).toEqual([program.subarray(0, 64), undefined]);
  expect([...entries.keys()]).toEqual(["", "bin", "bin/sh", "etc", "etc/hosts", "made"]);
  expect(entries.get("etc/hosts")?.sizeBytes).toBe(0);
  expect(entries.get("made")?.sizeBytes).toBe(10_000);
});

test("a layer that is not what the config says, and a stop, end it", async () => {
  const layer = memoryLayer(renderTarItems(stack[0] ?? []), "gzip");
  const other = { ...layer, diffId: parseDigest(digestOf(Buffer.from("something else"))) };
  await expect(build([other], scratch.at(`bad-${made++}`), options)).rejects.toThrow("config says");
  const stopped = { ...context, signal: AbortSignal.abort() };
  await expect(build([layer], scratch.at(`stop-${made++}`), options, stopped)).rejects.toThrow("stopped");
});

test("a sink that is full ends it with the sink's own error, a slow one changes nothing", async () => {
  const layers = [memoryLayer(renderTarItems([{ path: "noise", content: noiseBytes(12_000_000) }]))];
  const full = (): Promise<void> => Promise.reject(new AppError("STORAGE_FULL", "no room left"));
  const sink = { write: full, finish: full, abort: () => Promise.resolve() };
  await expect(buildSquashfs(layers, sink, options, context)).rejects.toThrow("no room left");

  const quick = scratch.at(`quick-${made++}`);
  await build(layers, quick, options);
  const file = Buffer.alloc(16_000_000);
  let end = 0;
  const slow: Sink = {
    async write(offset, bytes) {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      file.set(bytes, offset);
      end = Math.max(end, offset + bytes.length);
    },
    finish: () => Promise.resolve(),
    abort: () => Promise.resolve(),
  };
  const { sizeBytes } = await buildSquashfs(layers, slow, options, context);
  expect(end).toBe(sizeBytes);
  expect(file.subarray(0, sizeBytes).equals(readFileSync(quick))).toBe(true);
});

const path = fc.constantFrom("a", "b", "d/", "d/a", "d/b", "d/e/", "d/e/a");
const item: fc.Arbitrary<TarItem> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ path, size: fc.constantFrom(0, 3, 4096, 9000), seed: fc.integer({ min: 0, max: 3 }) })
      .map((own) => ({
        path: own.path,
        content: own.path.endsWith("/") ? "" : textBytes(own.size, own.seed),
      })),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(".wh.a", "d/.wh.b", "d/.wh..wh..opq", ".wh.d", "d/.wh.e")
      .map((name) => ({ path: name })),
  },
);
const randomStack = fc.array(fc.array(item, { maxLength: 8 }), { minLength: 1, maxLength: 4 });

extracts(
  "of random stacks every file has its bytes, linked to hidden ones too",
  async () => {
    await fc.assert(
      fc.asyncProperty(randomStack, async (items) => {
        // A hard link in the layer above each, to what that layer has first.
        const withLinks = items.map((layer, number) => {
          const target = items[number - 1]?.find((one) => /^(?:a|b)$/.test(one.path))?.path;
          return target === undefined
            ? layer
            : [{ path: `link-${number}`, type: "1", linkTarget: target }, ...layer];
        });
        const layers = withLinks.map((layer) => memoryLayer(renderTarItems(layer)));
        const expected = await expectedTree(layers).catch(() => undefined);
        // Stacks that cannot be merged are the merge's own tests.
        fc.pre(expected !== undefined);
        expect(await buildAndExtract(layers, options)).toEqual(describeTree(expected));
      }),
      { numRuns: 60, seed: 8 },
    );
  },
  240_000,
);

async function build(
  layers: readonly LayerBlob[],
  path: string,
  how: BuildSquashfsOptions,
  own: Context = context,
): Promise<BuiltSquashfs> {
  const sink = await createLocalFileSink(path, { mode: 0o644 });
  try {
    const built = await buildSquashfs(layers, sink, how, own);
    await sink.finish(built.sizeBytes);
    return built;
  } finally {
    await sink.abort();
  }
}

async function buildAndExtract(layers: readonly LayerBlob[], how: BuildSquashfsOptions): Promise<TreeLines> {
  const image = scratch.at(`image-${made++}`);
  await build(layers, image, how);
  const folder = scratch.at(`folder-${made++}`);
  await mustRun([programPath("unsquashfs"), "-quiet", "-no-progress", "-dest", folder, image]);
  return listTree(folder);
}

/** The merged tree with the bytes in it, read in the plain way: every content of every layer. */
async function expectedTree(layers: readonly LayerBlob[]): Promise<TreeNode> {
  const indexes: LayerIndex[] = [];
  const recorders = layers.map(() => createContentRecorder());
  for (const [number, layer] of layers.entries())
    indexes.push(await readLayer(layer, recorders[number] as (typeof recorders)[0], context));
  const root = mergeLayers(indexes);
  const fill = (node: TreeNode): void => {
    if (node.content !== undefined && "layer" in node.content)
      node.content = {
        bytes: recorders[node.content.layer]?.contents.get(node.content.entry)?.bytes ?? Buffer.alloc(0),
      };
    for (const child of node.children?.values() ?? []) fill(child);
  };
  fill(root);
  return root;
}
