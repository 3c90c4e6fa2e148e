import { afterAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Context, silentLogger } from "#core";
import { expectGolden } from "../../../../test/support/golden-file.ts";
import { memoryLayer } from "../../../../test/support/memory-layer.ts";
import { memoryView } from "../../../../test/support/memory-view.ts";
import { needs, programPath } from "../../../../test/support/programs.ts";
import { mustRun } from "../../../../test/support/run-program.ts";
import { createScratch } from "../../../../test/support/scratch.ts";
import { fileNode, folderNode, treeNode } from "../../../../test/support/squashfs-trees.ts";
import { renderTarItems, type TarItem } from "../../../../test/support/tar-writer.ts";
import type { ImageView } from "../../contract.ts";
import { createLocalFileSink } from "../../sinks/local-file.ts";
import { editForEnroot } from "./edit-for-enroot.ts";
import { renderRc } from "./render-rc.ts";
import { type SqshOptions, writeSqsh } from "./write-sqsh.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
const scratch = createScratch("write-sqsh");
afterAll(() => {
  scratch.remove();
});
let made = 0;

const config = {
  created: "2026-11-21T15:19:07Z",
  config: {
    Env: ["PATH=/image/bin:/bin", "PLAIN=a 'b' \"c\" $d", "LINES=one\ntwo", "BAD-NAME=1", "ALONE"],
    Entrypoint: ["/usr/bin/env", "it's"],
    Cmd: ["run", "a b"],
    WorkingDir: "/work dir/deep",
    Labels: { maintainer: "some\nbody", about: "x" },
    Volumes: {
      "/data": {},
      "with space": {},
      "/linked/inner": {},
      "/../../../home": {},
      "/pay$HOME": {},
      "/etc/passwd": {},
      "/etc/passwd/deeper": {},
    },
  },
};

const items: readonly TarItem[] = [
  { path: "etc/", mode: 0o555 },
  { path: "etc/shadow", mode: 0, content: "x" },
  { path: "etc/passwd", content: "root", uid: 7, gid: 8 },
  { path: "etc/fstab", linkTarget: "/proc/mounts" },
  { path: "opt/tool", mode: 0o011, content: "#!" },
  { path: "linked", linkTarget: "/../../etc" },
  { path: "dev/null", type: "3", device: [1, 3] },
];

async function write(view: ImageView, options: SqshOptions = {}): Promise<string> {
  const path = scratch.at(`image-${made++}.sqsh`);
  const sink = await createLocalFileSink(path, { mode: 0o644 });
  try {
    await sink.finish((await writeSqsh(view, sink, options, context)).sizeBytes);
  } finally {
    await sink.abort();
  }
  return path;
}

function sample(): ImageView {
  return memoryView({
    name: "docker://alice@r.example#team/app:1",
    config,
    layers: [memoryLayer(renderTarItems(items))],
  });
}

test("provenance is spelled as Enroot does, on one line, without a user", () => {
  const first = (name: string): string => renderRc(memoryView({ name })).split("\n")[0] ?? "";
  expect(first("docker://alice@r.example#team/app:1")).toBe(
    "# enroot-provenance: docker://r.example#team/app:1",
  );
  expect(first("docker://ubuntu")).toBe(
    "# enroot-provenance: docker://registry-1.docker.io#library/ubuntu:latest",
  );
  expect(first(`docker://r.example/a:1@sha256:${"a".repeat(64)}`)).toBe(
    `# enroot-provenance: docker://r.example#a@sha256:${"a".repeat(64)}`,
  );
  expect(first("oci:a\nrm -rf /")).toBe("# enroot-provenance: oci:a rm -rf /");
});

needs("unsquashfs")("Enroot's files, modes and owners", async () => {
  const path = await write(sample());
  const cat = (file: string): Promise<string> => mustRun([programPath("unsquashfs"), "-cat", path, file]);
  expectGolden("sqsh/rc", await cat("etc/rc"));
  expectGolden("sqsh/environment", await cat("etc/environment"));
  expectGolden("sqsh/fstab", await cat("etc/fstab"));
  expect(await cat("etc/rc.local")).toStartWith("# ");
  expect(await mustRun([programPath("unsquashfs"), "-s", path])).toContain("Compression zstd");
  const listing = await mustRun([programPath("unsquashfs"), "-lln", path]);
  expect(listing).toMatch(/-r-------- 0\/0 .* squashfs-root\/etc\/shadow\n/);
  expect(listing).toMatch(/-rw-r--r-- 0\/0 .* squashfs-root\/etc\/passwd\n/);
  expect(listing).toMatch(/-r-x--x--x 0\/0 .* squashfs-root\/opt\/tool\n/);
  expect(listing).toMatch(/drwxr-xr-x 0\/0 .* squashfs-root\/etc\n/);
  expect(listing).toMatch(/drwxr-xr-x 0\/0 .* squashfs-root\/work dir\/deep\n/);
  expect(listing).toMatch(/-rw-r--r-- 0\/0 .* squashfs-root\/etc\/fstab\n/);
  expect(listing).not.toContain("dev/null");
  const kept = await write(sample(), { preserveDevices: true });
  expect(await mustRun([programPath("unsquashfs"), "-lln", kept])).toContain("dev/null");
});

test("a folder of more names than a call takes arguments", () => {
  const file = fileNode("", { mode: 0 });
  const names = Array.from({ length: 1_000_000 }, (_, index) => [String(index), file] as const);
  const root = folderNode({ many: treeNode("directory", { children: new Map(names) }) });
  editForEnroot(root, { view: sample(), mtimeSeconds: 0 });
  expect(file.mode).toBe(0o400);
}, 60_000);

test("the same image gives the same bytes, whatever the number of threads", async () => {
  const one = readFileSync(await write(sample(), { workers: 1 }));
  expect(readFileSync(await write(sample(), { workers: 3 })).equals(one)).toBe(true);
});

/** Enroot runs /etc/rc with the image's own /bin/sh. */
for (const shell of ["dash", "bash"])
  needs(shell)(
    `${shell} runs /etc/rc: working directory, command, arguments and long values arrive`,
    async () => {
      const folder = scratch.at(`work's ${shell}`);
      mkdirSync(folder);
      const program = scratch.at(`entry's "point" ${shell}`);
      writeFileSync(program, '#!/bin/sh\nprintf "%s\\0" "$PWD" "$LINES" "${OLDPWD-none}" "$@"\n', {
        mode: 0o755,
      });
      const run = async (
        entrypoint: readonly string[] | undefined,
        command: readonly string[],
        words: readonly string[],
      ) => {
        const view = memoryView({
          config: {
            config: {
              Env: ["LINES=it's\ntwo"],
              Entrypoint: entrypoint,
              Cmd: command,
              WorkingDir: `${folder}/new`,
            },
          },
        });
        const rc = scratch.at("rc");
        writeFileSync(rc, renderRc(view));
        const out = await mustRun([programPath(shell), rc, ...words], { env: { PATH: "/usr/bin:/bin" } });
        return out.split("\0").slice(0, -1);
      };
      const facts = [`${folder}/new`, "it's\ntwo", "none"];
      expect(await run([program, "a 'b'"], ["$c", ""], [])).toEqual([...facts, "a 'b'", "$c", ""]);
      expect(await run([program, "a"], ["c"], ["-x", "y z"])).toEqual([...facts, "a", "-x", "y z"]);
      expect(await run(undefined, [program, "c"], [])).toEqual([...facts, "c"]);
      expect(await run(undefined, ["c"], [program, "`id`"])).toEqual([...facts, "`id`"]);
      expect(await run(undefined, [], [program])).toEqual(facts);
    },
  );
