import type { Context } from "#core";
import type { Sink } from "../../contract.ts";
import { piecesOf } from "../../layers/source-pieces.ts";
import { plainMember } from "../tar/tar-header.ts";
import { TarStream } from "../tar/tar-stream.ts";
import { LAYOUT_FILE, renderLayoutIndex } from "./layout-index.ts";
import { blobPath, blobsOf, entriesOf, type LayoutItem, refuseSameNames } from "./layout-item.ts";

/**
 * Writes images as one tar archive of an OCI layout: original bytes, each blob once. The sink is neither finished nor aborted; the bytes depend on
 * images and names alone. Throws what the contents and the sink throw.
 */
export async function writeLayoutArchive(
  items: readonly LayoutItem[],
  sink: Sink,
  context: Context,
): Promise<{ readonly sizeBytes: number }> {
  refuseSameNames(items);
  const stream = new TarStream(sink);
  const text = new TextEncoder();
  const addFile = async (path: string, bytes: Uint8Array): Promise<void> =>
    stream.add(plainMember(path, bytes.length), bytes);
  await addFile("oci-layout", text.encode(LAYOUT_FILE));
  await addFile("index.json", renderLayoutIndex(entriesOf(items)));
  const blobs = blobsOf(items);
  const folders = new Set(["blobs", ...blobs.map(({ descriptor }) => folderOf(descriptor.digest))]);
  for (const path of folders) await stream.add({ ...plainMember(path, 0), type: "directory", mode: 0o755 });
  for (const { content, graph } of items) content.prefetch(graph.blobs);
  for (const { descriptor, source } of blobs) {
    await stream.begin(plainMember(blobPath(descriptor.digest), source.sizeBytes));
    for await (const piece of piecesOf(source, context)) await stream.write(piece);
    await stream.end();
  }
  return { sizeBytes: await stream.finish() };
}

function folderOf(digest: string): string {
  return blobPath(digest).split("/").slice(0, 2).join("/");
}
