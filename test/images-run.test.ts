/** A SIF and a .sqsh, unpacked by unsquashfs and run in a chroot by the scripts in them: with busybox as the image's only program. */
import { afterAll, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { silentLogger } from "#core";
import { createLocalFileSink, inspectFile, type Sink, writeSif, writeSqsh } from "#images";
import { memoryLayer } from "./support/memory-layer.ts";
import { memoryView } from "./support/memory-view.ts";
import { needs, needsThat, programPath } from "./support/programs.ts";
import { type Ran, runProgram } from "./support/run-program.ts";
import { createScratch } from "./support/scratch.ts";
import { renderTarItems } from "./support/tar-writer.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const scratch = createScratch("images-run");
afterAll(() => {
  scratch.remove();
});

const runs =
  process.getuid?.() === 0 ? needs("busybox", "unsquashfs", "chroot") : needsThat(false, "needs root");

function sample(): ReturnType<typeof memoryView> {
  const show = '#!/bin/sh\nprintf "%s|" "$PWD" "$GREETING" "$LIST" "$@"\n';
  const items = [
    { path: "bin/busybox", mode: 0o755, content: readFileSync(programPath("busybox")) },
    { path: "bin/sh", linkTarget: "busybox" },
    // Stands in for the device, which nobody mounts here.
    { path: "dev/null", mode: 0o666 },
    { path: "bin/show it", mode: 0o755, content: show },
  ];
  const config = {
    architecture: "amd64",
    config: {
      Env: ["PATH=/bin", "GREETING=it's $HOME", "LIST=a\nb"],
      Entrypoint: ["/bin/show it", "'1'"],
      Cmd: ["$2"],
      WorkingDir: "/work place",
    },
  };
  return memoryView({ config, layers: [memoryLayer(renderTarItems(items), "gzip")] });
}

/** Writes the image, unpacks its file system, and gives what runs a command in it. */
async function unpack(
  name: string,
  write: (sink: Sink) => Promise<{ readonly sizeBytes: number }>,
): Promise<(...command: readonly string[]) => Promise<Ran>> {
  const path = scratch.at(name);
  const sink = await createLocalFileSink(path, { mode: 0o755 });
  try {
    await sink.finish((await write(sink)).sizeBytes);
  } finally {
    await sink.abort();
  }
  const facts = await inspectFile(context, path);
  const offset = facts?.kind === "sif" ? (facts.sif.descriptors.at(-1)?.offsetBytes ?? 0) : 0;
  const root = scratch.at(`${name}.root`);
  await runProgram([programPath("unsquashfs"), "-q", "-n", "-o", String(offset), "-d", root, path]);
  return (...command) =>
    runProgram([programPath("chroot"), root, ...command], { env: { PATH: "/usr/bin:/bin", HOME: "/root" } });
}

runs("a SIF: run, exec and shell as the old runtimes start them, with the image's variables", async () => {
  const inside = await unpack("image.sif", (sink) => writeSif(sample(), sink, {}, context));
  const facts = "/|it's $HOME|a\nb|";
  expect(await inside("/.run")).toEqual({ code: 0, out: `${facts}'1'|$2|`, err: "" });
  expect(await inside("/singularity", "`x`", "")).toMatchObject({ code: 0, out: "/|||'1'|`x`||" });
  expect(await inside("/.exec", "/bin/show it", "x")).toEqual({ code: 0, out: `${facts}x|`, err: "" });
  expect(await inside("/.shell", "-c", 'echo "$LD_LIBRARY_PATH"')).toMatchObject({
    out: "/.singularity.d/libs\n",
  });
  expect(await inside("/.test")).toEqual({ code: 0, out: "", err: "the image has no test\n" });
});

runs("a .sqsh: /etc/rc, as Enroot starts it, in the working directory", async () => {
  const inside = await unpack("image.sqsh", (sink) => writeSqsh(sample(), sink, {}, context));
  const rc = (...words: readonly string[]): Promise<Ran> => inside("/bin/sh", "/etc/rc", ...words);
  // Enroot reads /etc/environment itself; what has no room there is set by rc.
  expect(await rc()).toEqual({ code: 0, out: "/work place||a\nb|'1'|$2|", err: "" });
  expect(await rc("a b", "")).toEqual({ code: 0, out: "/work place||a\nb|'1'|a b||", err: "" });
});
