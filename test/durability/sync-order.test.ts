/** What is on disk before the 201, seen from outside by strace: file fsync, rename, folder fsync, database sync (issue 3, "Durable"). */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { needs, programPath } from "../support/programs.ts";
import {
  pushBlob,
  pushManifest,
  type RegistryTarget,
  randomBytes,
  sha256Of,
  smallImage,
} from "../support/registry-calls.ts";
import { createScratch } from "../support/scratch.ts";
import { basic, createProjectRobot, startWharf } from "../support/wharf-process.ts";
import { parseTrace, type TracedCall } from "./sync-trace.ts";

const traced = "fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat,sendto,sendmsg,write,writev";

/** All that one server did while `push` ran against it. */
async function traceOf(push: (target: RegistryTarget) => Promise<void>): Promise<TracedCall[]> {
  const scratch = createScratch("trace");
  const file = scratch.at("trace");
  try {
    // -D: the server is our child, and strace its observer; -y: descriptors with their paths.
    const under = [programPath("strace"), "-D", "-f", "-y", "-s", "400", "-o", file, "-e", `trace=${traced}`];
    const wharf = await startWharf(scratch, { under });
    try {
      const robot = await createProjectRobot(wharf.admin, "traced");
      await push({ url: wharf.url, authorization: basic(robot) });
    } finally {
      await wharf.stop();
    }
    return parseTrace(readFileSync(file, "utf8"));
  } finally {
    scratch.remove();
  }
}

const isSync = (call: TracedCall): boolean =>
  /^(?:fsync|fdatasync)$/.test(call.name) && call.text.endsWith("= 0");
const isDatabaseSync = (call: TracedCall): boolean =>
  isSync(call) && /\.(?:db|sqlite3?)-wal>/.test(call.text);
const isCreated = (call: TracedCall): boolean => call.text.includes('"HTTP/1.1 201');

needs("strace")(
  "a blob's file is synced, renamed, its folders synced, its row synced, and only then 201",
  async () => {
    const bytes = randomBytes(1_000_000);
    const hex = sha256Of(bytes).slice("sha256:".length);
    const calls = await traceOf((target) => pushBlob(target, "traced/repo", bytes));
    const at = (start: number, what: (call: TracedCall) => boolean): number => {
      const found = calls.slice(start).findIndex(what);
      return found === -1 ? -1 : start + found;
    };
    const renamed = at(0, (call) => call.name.startsWith("rename") && call.text.includes(hex));
    expect(renamed).toBeGreaterThan(-1);
    const [from = "", to = ""] = [...(calls[renamed]?.text ?? "").matchAll(/"([^"]+)"/g)].map(
      (path) => path[1] ?? "",
    );
    const fileSynced = calls
      .slice(0, renamed)
      .findLastIndex((call) => isSync(call) && call.text.includes(`/${basename(from)}>`));
    expect(fileSynced).toBeGreaterThan(-1);
    const folderSynced = at(
      renamed,
      (call) => isSync(call) && call.text.includes(`/${basename(dirname(to))}>`),
    );
    expect(folderSynced).toBeGreaterThan(renamed);
    const made = calls.findIndex(
      (call) =>
        call.name.startsWith("mkdir") && call.text.includes(`${dirname(to)}"`) && call.text.endsWith("= 0"),
    );
    if (made !== -1) {
      // A folder that was made for it is lost with its parent's entry.
      const parentSynced = at(made, (call) => isSync(call) && call.text.includes(`${dirname(dirname(to))}>`));
      expect(parentSynced).toBeGreaterThan(made);
      expect(parentSynced).toBeLessThan(at(renamed, isCreated));
    }
    const rowSynced = at(folderSynced, isDatabaseSync);
    expect(rowSynced).toBeGreaterThan(folderSynced);
    expect(at(renamed, isCreated)).toBeGreaterThan(rowSynced);
  },
);

needs("strace")("a manifest is synced with its row before each 201", async () => {
  const image = smallImage("v1", []);
  const calls = await traceOf(async (target) => {
    for (const bytes of image.blobs) await pushBlob(target, "traced/repo", bytes);
    await pushManifest(target, "traced/repo", image);
  });
  // From one 201 to the next there is always a sync of the database: project, robot, blob, manifest.
  const created = calls.flatMap((call, index) => (isCreated(call) ? [index] : []));
  expect(created.length).toBe(2 + image.blobs.length + 1);
  const syncs = created.map((index, turn) => calls.slice(created[turn - 1] ?? 0, index).some(isDatabaseSync));
  expect(syncs).toEqual(created.map(() => true));
});

describe("the reader of traces", () => {
  test("joins calls that were interrupted, at their end", () => {
    const trace = [
      "100 fsync(5</data/uploads/a> <unfinished ...>",
      '101 write(7<socket:[9]>, "HTTP/1.1 201 Cre"..., 90) = 90',
      "100 <... fsync resumed>) = 0",
      "100 +++ exited with 0 +++",
    ].join("\n");
    expect(parseTrace(trace)).toEqual([
      { name: "write", text: '7<socket:[9]>, "HTTP/1.1 201 Cre"..., 90) = 90' },
      { name: "fsync", text: "5</data/uploads/a>) = 0" },
    ]);
  });
});
