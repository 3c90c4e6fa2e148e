import type { PeerRow } from "../peer-row.ts";
import { countGoals, renderMachine, renderRows } from "../render-rows.ts";
import type { ImageBench } from "./image-bench.ts";

/** The report as Markdown: one table, met or missed in plain words. */
export async function renderImageReport(
  root: string,
  bench: ImageBench,
  rows: readonly PeerRow[],
): Promise<string> {
  const image = await bench.rootFileSystem();
  const megabytes = (bytes: number): string => Math.round(bytes / 1e6).toLocaleString("en");
  return `# Benchmark: images

Written by \`npm run bench images\`. ${countGoals(rows)}.

Side by side in one run on one machine, in turn, medians. Trust the ratios, not the absolute figures. Wharfinger runs as shipped: the
single executable, from its start to its end, the result synced to disk and every digest checked; the others do neither.

The image is made on the spot of what Debian packages of this machine have put below /usr: those of the sections that an image to develop in has (libraries,
Python, Perl, tools), by section and name, none above 100 MB. ${image.paths.toLocaleString("en")} paths,
${megabytes(image.tarBytes)} MB, as one layer of ${megabytes(image.gzipBytes)} MB by gzip 6, in an OCI layout. No network, but for pulls from a registry of ours on the same machine.

${renderRows(rows)}

Apptainer and Enroot are not to be had on the machine that measures, so theirs are **derived**, not measured: both were once timed on 2 cores beside the
programs measured here, with an image of this size, and that ratio is applied to what those programs take in this run. \`apptainer pull\` 1.1.9: 106.8 s
where \`mksquashfs\` at gzip 9 took 82.7 s. \`enroot import\` 4.1.2: 28.1 s where \`gzip -dc\` into \`tar2sqfs\` took 9.8 s. Their sizes are measured:
\`mksquashfs\` makes them, with the options that each of the two gives it.

What is written to files is what the kernel counts for the process and its children (getrusage), of which the result, and for a pull the cache's blob, are taken off.
Memory is the highest resident size of all its processes together, the executable's own 45 MB of clean pages among them.
The large image is made of pieces of the same files, no two alike, as a layer of zstd.

${await renderMachine(root, bench.wharf, bench.versions)}`;
}
