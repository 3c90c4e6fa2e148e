import type { Context } from "#core";
import type { LayerBlob, Sink, TreeNode } from "../../contract.ts";
import { readContents, readTree } from "../../layers/tree-contents.ts";
import { namesOfTree } from "../../layers/tree-names.ts";
import type { TarMember } from "./tar-header.ts";
import { TarStream } from "./tar-stream.ts";

/**
 * Writes an image's merged tree as one tar archive: folders first, then symlinks and device nodes, files in the order of the layers, further names
 * of files last. Who unpacks it as folders have it, with times and modes, uses `tar --delay-directory-restore`. The sink is neither finished nor aborted.
 * The bytes depend on the layers alone. Throws as `readLayer` and `mergeLayers`, and what the sink throws.
 */
export async function writeTar(
  layers: readonly LayerBlob[],
  sink: Sink,
  context: Context,
): Promise<{ readonly sizeBytes: number }> {
  const names = namesOfTree(await readTree(layers, context));
  const stream = new TarStream(sink);
  const nodes = [...names.keys()];
  const others = nodes.filter(({ type }) => type !== "directory" && type !== "file");
  for (const node of [...nodes.filter(({ type }) => type === "directory"), ...others])
    await stream.add(memberOf(node, names));
  const files = nodes.filter(({ type }) => type === "file");
  const receiver = {
    begin: (file: TreeNode) => stream.begin(memberOf(file, names)),
    write: (piece: Uint8Array) => stream.write(piece),
    end: () => stream.end(),
  };
  await readContents(layers, files, receiver, context);
  for (const [node, [first = "", ...further]] of names)
    for (const path of further) await stream.add(linkTo(node, first, path));
  return { sizeBytes: await stream.finish() };
}

function memberOf(node: TreeNode, names: ReadonlyMap<TreeNode, readonly string[]>): TarMember {
  return { ...node, path: names.get(node)?.[0] ?? "" };
}

/** A hard link: its header says what the node is, for those who read it; only its target counts. */
function linkTo(node: TreeNode, target: string, path: string): TarMember {
  return {
    ...node,
    path,
    type: "hardlink",
    linkTarget: target,
    sizeBytes: 0,
    device: undefined,
    xattrs: undefined,
  };
}
