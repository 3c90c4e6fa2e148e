import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { lstatSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { type Context, silentLogger } from "#core";
import { expectGolden } from "../../../../test/support/golden-file.ts";
import { memoryLayer, memorySource } from "../../../../test/support/memory-layer.ts";
import { memoryView } from "../../../../test/support/memory-view.ts";
import { needs, programPath } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import { textBytes } from "../../../../test/support/squashfs-trees.ts";
import { renderTarItems, type TarItem } from "../../../../test/support/tar-writer.ts";
import type { ImageView } from "../../contract.ts";
import { createLocalFileSink } from "../../sinks/local-file.ts";
import { readSif } from "./read-sif.ts";
import { createSifFacts } from "./sif-facts.ts";
import { type SifOptions, writeSif } from "./write-sif.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
const scratch = createScratch("write-sif");
afterAll(() => {
  scratch.remove();
});
let made = 0;

const config = {
  architecture: "amd64",
  os: "linux",
  created: "2026-11-21T15:19:07.25Z",
  config: {
    Env: ["PATH=/usr/local/bin:/usr/bin:/bin", 'GREETING=it\'s "fine" & $HOME', "BAD-NAME=1", "EMPTY="],
    Entrypoint: ["/bin/tool", "--flag=a b"],
    Cmd: ["run", "it's"],
    WorkingDir: "/srv",
    User: "1000",
    Labels: { maintainer: "somebody", "org.opencontainers.image.title": "Tool <1>" },
  },
};

/** The first bytes of a program for 64-bit ARM, and some more. */
function armProgram(): Uint8Array {
  const bytes = Buffer.from(textBytes(5000, 1));
  bytes.write("\x7fELF\x02\x01", 0, "latin1");
  bytes.writeUInt16LE(3, 16);
  bytes.writeUInt16LE(183, 18);
  return bytes;
}

const items: readonly TarItem[] = [
  { path: "usr/bin/dash", mode: 0o755, content: armProgram() },
  { path: "usr/bin/sh", linkTarget: "dash" },
  { path: "bin", linkTarget: "usr/bin" },
  { path: "etc/", mode: 0o700 },
  { path: "etc/hosts", content: "127.0.0.1 builder" },
  { path: "etc/resolv.conf", linkTarget: "../run/resolv.conf" },
  { path: "var", linkTarget: "private/var" },
  { path: "tmp", linkTarget: "var/tmp" },
  { path: "environment", content: "its own" },
  { path: "singularity", linkTarget: "elsewhere" },
  { path: ".singularity.d/env/10-docker2singularity.sh", content: "an older one" },
  { path: "dev/null", type: "3", device: [1, 3] },
  { path: "owned", content: "x", uid: 33, gid: 34, mode: 0o640 },
];

async function write(view: ImageView, options: SifOptions = {}): Promise<string> {
  const path = scratch.at(`image-${made++}.sif`);
  const sink = await createLocalFileSink(path, { mode: 0o755 });
  try {
    const { sizeBytes } = await writeSif(view, sink, options, context);
    await sink.finish(sizeBytes);
  } finally {
    await sink.abort();
  }
  return path;
}

function sample(): ImageView {
  return memoryView({ config, layers: [memoryLayer(renderTarItems(items), "gzip")] });
}

test("what a SIF says of an image, as people review it", () => {
  const facts = createSifFacts(sample());
  expectGolden("sif/definition", facts.definition);
  expectGolden("sif/10-docker2singularity.sh", facts.environment);
  expectGolden("sif/runscript", facts.runscript);
  expectGolden("sif/labels.json", JSON.stringify(facts.labels, undefined, 2));
  expectGolden("sif/inspect-metadata.json", JSON.stringify(JSON.parse(facts.metadata), undefined, 2));
  expect(JSON.parse(facts.ociConfig)).toEqual(config.config);
});

test("a definition is one definition, whatever the image is called", () => {
  const definition = (name: string): string => createSifFacts(memoryView({ name })).definition;
  expect(definition("r.example:5000/team/app@sha256:1")).toBe(
    "bootstrap: docker\nfrom: r.example:5000/team/app@sha256:1\n\n",
  );
  expect(definition("localhost/app")).toBe("bootstrap: docker\nfrom: localhost/app\n\n");
  expect(definition("oci-archive:/data/a b.tar:x")).toBe("bootstrap: oci-archive\nfrom: /data/a b.tar:x\n\n");
  expect(definition("oci:dir\n%post\nrm")).toBe("bootstrap: oci\nfrom: dir %post rm\n\n");
});

needs("siftool", "unsquashfs")(
  "a whole SIF: objects, architecture of its programs, and what runtimes look for in the root",
  async () => {
    const path = await write(sample());
    expect(statSync(path).mode & 0o777).toBe(0o755);
    const list = await mustRun([programPath("siftool"), "list", path]);
    expect(list).toMatch(/FS \(Squashfs\/\*System\/arm64\)/);
    const sif = await readSif(memorySource(readFileSync(path)), context);
    const partition = sif.descriptors.at(-1);
    const root = scratch.at("root");
    const offset = String(partition?.offsetBytes);
    await mustRun([programPath("unsquashfs"), "-q", "-n", "-o", offset, "-d", root, path]);
    const read = (file: string): string => readFileSync(`${root}/${file}`, "utf8");
    const mode = (file: string): number => lstatSync(`${root}/${file}`).mode & 0o7777;
    const facts = createSifFacts(sample());
    expect(read(".singularity.d/env/10-docker2singularity.sh")).toBe(facts.environment);
    expect(read(".singularity.d/runscript")).toBe(facts.runscript);
    expect(JSON.parse(read(".singularity.d/labels.json"))).toEqual(facts.labels);
    for (const name of [
      "runscript",
      "startscript",
      "actions/run",
      "actions/exec",
      "env/99-base.sh",
      "env/90-environment.sh",
    ])
      expect(mode(`.singularity.d/${name}`)).toBe(0o755);
    expect(readlinkSync(`${root}/singularity`)).toBe(".singularity.d/runscript");
    expect(readlinkSync(`${root}/.run`)).toBe(".singularity.d/actions/run");
    expect(read("environment")).toBe("its own");
    expect([
      read("etc/hosts"),
      read("etc/resolv.conf"),
      lstatSync(`${root}/etc/resolv.conf`).isFile(),
    ]).toEqual(["", "", true]);
    expect(mode("etc")).toBe(0o700);
    expect([readlinkSync(`${root}/tmp`), readlinkSync(`${root}/var`)]).toEqual(["var/tmp", "private/var"]);
    expect(lstatSync(`${root}/private/var/tmp`).isDirectory()).toBe(true);
    for (const folder of ["proc", "sys", "home", "root", "dev"])
      expect(lstatSync(`${root}/${folder}`).isDirectory()).toBe(true);
    expect(() => lstatSync(`${root}/dev/null`)).toThrow("ENOENT");
    const listing = await mustRun([programPath("unsquashfs"), "-o", offset, "-lln", path, "owned"]);
    expect(listing).toMatch(/-rw-r----- 33\/34/);
  },
);

test("the same image gives the same bytes, whatever the number of threads", async () => {
  const sums = [];
  for (const workers of [1, 2, 3]) {
    const bytes = readFileSync(await write(sample(), { workers }));
    sums.push(createHash("sha256").update(bytes).digest("hex"));
  }
  expect(new Set(sums).size).toBe(1);
});

test("an image without a program is for what its config says; without either it is refused", async () => {
  const layers = [memoryLayer(renderTarItems([{ path: "data", content: "x" }]))];
  const architecture = async (name: string) => {
    const path = await write(memoryView({ config: { architecture: name }, layers }));
    return (await readSif(memorySource(readFileSync(path)), context)).architecture;
  };
  expect(await architecture("riscv64")).toBe("riscv64");
  expect(architecture("")).rejects.toThrow("neither a program in the image nor its config");
  expect(architecture("wasm")).rejects.toThrow("cannot say that it is for wasm");
});

needs("siftool", "unsquashfs")("zstd on request", async () => {
  const path = await write(sample(), { codec: { name: "zstd", level: 3 } });
  const sif = await readSif(memorySource(readFileSync(path)), context);
  const offset = String(sif.descriptors.at(-1)?.offsetBytes);
  expect(await mustRun([programPath("unsquashfs"), "-o", offset, "-s", path])).toContain("Compression zstd");
});
