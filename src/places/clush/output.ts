/** What one node said of a run of clush. */
export interface NodeOutput {
  readonly stdout: Uint8Array;
  /** The last line that it, ssh or clush said on standard error about it; empty: none. */
  readonly lastWords: string;
}

/**
 * Takes what clush printed (`NODE: LINE`) apart by node. Lines of clush's own about a node (`clush: NODE: exited with exit code 255`) are its
 * last words only where it has no others. Lines that name no node of the run are passed over.
 */
export function splitByNode(
  nodes: readonly string[],
  printed: { readonly stdout: Uint8Array; readonly stderr: string },
): ReadonlyMap<string, NodeOutput> {
  const lines = new Map<string, string[]>(nodes.map((node) => [node, []]));
  for (const line of Buffer.from(printed.stdout).toString("latin1").split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) lines.get(line.slice(0, colon))?.push(line.slice(colon + 2));
  }
  const said = new Map<string, string>();
  const ofClush = new Map<string, string>();
  for (const line of printed.stderr.split("\n")) {
    const own = line.startsWith("clush: ");
    const rest = own ? line.slice("clush: ".length) : line;
    const colon = rest.indexOf(": ");
    const words = rest.slice(colon + 2).trim();
    if (colon > 0 && words !== "") (own ? ofClush : said).set(rest.slice(0, colon), words);
  }
  return new Map(
    nodes.map((node) => [
      node,
      {
        stdout: Buffer.from((lines.get(node) ?? []).join("\n"), "latin1"),
        lastWords: (said.get(node) ?? ofClush.get(node) ?? "").slice(0, 300),
      },
    ]),
  );
}
