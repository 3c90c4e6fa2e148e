import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError, type Context, type ErrorCode, silentLogger } from "#core";
import type { DeliveredRecord } from "../contract.ts";
import { readState, writeState } from "../state.ts";
import { createKeptState } from "./kept-state.ts";

let folder: string;
let config: string;
let warned: string[];
let context: Context;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wharf-kept-"));
  config = join(folder, "wharf.yaml");
  warned = [];
  const log = { ...silentLogger, warn: (message: string) => void warned.push(message) };
  context = { signal: new AbortController().signal, log };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lease = { namespace: "wharf", name: "watch" };
/** The Secret beside it. */
const STATE = { namespace: "wharf" as string | undefined, name: "watch-state" };
const places = new Set(["k8s://here"]);

function recordOf(file: string, more: Partial<DeliveredRecord> = {}): DeliveredRecord {
  const at = { place: "k8s://here", user: undefined, consumer: "kubernetes", file, key: "reg.example" };
  return { ...at, login: "a", images: "reg.example", mark: "m", time: "2026-01-01T00:00:00.000Z", ...more };
}

async function filesOf(path: string): Promise<readonly string[]> {
  return (await readState(path)).records.map(({ file, mark }) => `${file} ${mark}`);
}

/** A cluster that keeps one text, or refuses. */
function clusterOf(refusal?: ErrorCode) {
  const cluster = {
    content: undefined as Uint8Array | undefined,
    writes: 0,
    async readKept() {
      if (refusal !== undefined) throw new AppError(refusal, "not here");
      return cluster.content;
    },
    async writeKept(_: Context, at: typeof STATE, bytes: Uint8Array) {
      expect(at).toEqual(STATE);
      cluster.content = bytes;
      cluster.writes++;
    },
  };
  return cluster;
}

test("the next one has what was kept, what is newer of two, and other places' records of its own", async () => {
  const cluster = clusterOf();
  const first = createKeptState(cluster, lease);
  await first.restore(context, config);
  await writeState(config, { records: [recordOf("one"), recordOf("two")], failed: [], restarts: [] });
  await first.save(context, config, places);
  await first.save(context, config, places);
  expect(cluster.writes).toBe(1);

  const other = join(folder, "other.yaml");
  const newer = recordOf("two", { mark: "newer", time: "2026-02-01T00:00:00.000Z" });
  const elsewhere = recordOf("far", { place: "ssh://far" });
  await writeState(other, { records: [newer, elsewhere], failed: [], restarts: [] });
  const second = createKeptState(cluster, lease);
  await second.restore(context, other);
  expect(await filesOf(other)).toEqual(["one m", "two newer", "far m"]);
  await second.save(context, other, places);
  expect(Buffer.from(cluster.content ?? []).toString()).not.toContain("ssh://far");
  expect(warned).toEqual([]);
});

test("without the right nothing is kept, and that is said once", async () => {
  const cluster = clusterOf("DENIED");
  const kept = createKeptState(cluster, lease);
  await kept.restore(context, config);
  await kept.restore(context, config);
  await writeState(config, { records: [recordOf("one")], failed: [], restarts: [] });
  await kept.save(context, config, places);
  expect([warned.length, cluster.writes]).toEqual([1, 0]);
});

test("what is damaged is said, and replaced", async () => {
  const cluster = clusterOf();
  cluster.content = Buffer.from("{}");
  const kept = createKeptState(cluster, lease);
  await kept.restore(context, config);
  await writeState(config, { records: [recordOf("one")], failed: [], restarts: [] });
  await kept.save(context, config, places);
  expect([warned.length, cluster.writes]).toEqual([1, 1]);
});

test("while it cannot be read nothing is kept over it", async () => {
  const cluster = clusterOf("UNREACHABLE");
  const kept = createKeptState(cluster, lease);
  await expect(kept.restore(context, config)).rejects.toThrow("not here");
  await writeState(config, { records: [recordOf("one")], failed: [], restarts: [] });
  await kept.save(context, config, places);
  expect(cluster.writes).toBe(0);
});
