/**
 * The server is killed in the middle of parallel pushes, again and again (issue 3, "Durable"): what it acknowledged is there
 * with the right bytes, what it did not is whole or absent, interrupted uploads resume or vanish.
 * 12 kills; 200 with SLOW=1.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  ask,
  digestAt,
  finishUpload,
  patchUpload,
  pushBlob,
  pushBlobInChunks,
  pushManifest,
  type RegistryTarget,
  randomBytes,
  sha256Of,
  smallImage,
} from "../support/registry-calls.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import { until } from "../support/until.ts";
import {
  basic,
  type Credentials,
  createProjectRobot,
  startWharf,
  type WharfProcess,
} from "../support/wharf-process.ts";

const kills = process.env.SLOW === "1" ? 200 : 12;
const pushers = 4;

/** What was sent, and whether the server said 201 to it. */
interface Sent {
  readonly path: string;
  readonly digest: string;
  acknowledged: boolean;
}

/** An upload that was under way: where it was last known to be, and all its bytes. */
interface OpenUpload {
  place: string;
  readonly repository: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

let scratch: Scratch;
let wharf: WharfProcess;
let robot: Credentials;

beforeAll(async () => {
  scratch = createScratch("kills");
  wharf = await startWharf(scratch);
  robot = await createProjectRobot(wharf.admin, "kills");
});

afterAll(async () => {
  await wharf.kill();
  scratch.remove();
});

test(
  `${kills} kills: nothing acknowledged is lost, nothing half is served`,
  async () => {
    const everything: Sent[] = [];
    const tags = new Map<string, string[]>();
    const started = performance.now();
    let resumed = 0;
    let vanished = 0;
    let unacknowledged = 0;
    let unacknowledgedWhole = 0;
    for (let round = 0; round < kills; round += 1) {
      const sent: Sent[] = [];
      const open = new Set<OpenUpload>();
      const target: RegistryTarget = { url: wharf.url, authorization: basic(robot) };
      let stopped = false;
      // In turn: some time into a round that acknowledged something; at once after some 201, when what it promises has had no
      // time to come true later; at once after some chunk, in the middle of an upload.
      const moment = (["time", "acknowledged", "chunk"] as const)[round % 3];
      const fatal = 1 + Math.floor(Math.random() * (moment === "chunk" ? 12 : 60));
      const seen = { acknowledged: 0, chunk: 0 };
      const count = (what: "acknowledged" | "chunk"): void => {
        seen[what] += 1;
        if (moment !== what || seen[what] !== fatal) return;
        stopped = true;
        process.kill(wharf.pid, "SIGKILL");
      };
      const work = Array.from({ length: pushers }, async (_, pusher) => {
        for (let turn = 0; !stopped; turn += 1) {
          try {
            await pushOne(target, `kills/repo-${pusher}`, `r${round}-${turn}`, {
              sent,
              open,
              tags,
              onAcknowledged: () => count("acknowledged"),
              onChunk: () => count("chunk"),
            });
          } catch (cause) {
            // The kill cuts connections; before it, every request must succeed.
            if (!stopped) throw cause;
          }
        }
      });
      const dueAt = performance.now() + 60 + Math.random() * 500;
      const due = until(
        "the moment of the kill",
        () =>
          stopped || (moment === "time" && performance.now() > dueAt && seen.acknowledged >= 8) || undefined,
        60_000,
      );
      await Promise.race([due, Promise.all(work)]);
      stopped = true;
      await wharf.kill();
      await Promise.all(work);
      wharf = await startWharf(scratch, { dataFolder: wharf.dataFolder });
      const again: RegistryTarget = { url: wharf.url, authorization: basic(robot) };
      unacknowledged += sent.filter((entry) => !entry.acknowledged).length;
      unacknowledgedWhole += await checkAll(again, sent);
      for (const upload of open) {
        if (await resume(again, upload)) resumed += 1;
        else vanished += 1;
      }
      everything.push(...sent.filter((entry) => entry.acknowledged));
    }
    const target: RegistryTarget = { url: wharf.url, authorization: basic(robot) };
    await checkAll(target, everything);
    for (const [path, digests] of tags) {
      // The last one said 201 to, or one sent after it: never an older one.
      expect(digests).toContain((await digestAt(target, path)) ?? "");
    }
    // The run did what it claims: there was something to lose, and something was interrupted.
    expect(everything.length).toBeGreaterThan(kills * 2);
    expect(resumed + vanished).toBeGreaterThan(0);
    expect(await wharf.stop()).toBe(0);
    const manifests = everything.filter((entry) => entry.path.includes("/manifests/")).length;
    await report({
      kills,
      "acknowledged blobs, there with their bytes": everything.length - manifests,
      "acknowledged manifests, there with their bytes": manifests,
      "tags, at their last acknowledged manifest or a later one": tags.size,
      "not acknowledged when killed": unacknowledged,
      "of these whole afterwards": unacknowledgedWhole,
      "of these absent afterwards": unacknowledged - unacknowledgedWhole,
      "uploads that went on after the restart": resumed,
      "uploads that had vanished": vanished,
      "wall time in seconds": Math.round((performance.now() - started) / 1000),
    });
    wharf = await startWharf(scratch, { dataFolder: wharf.dataFolder });
    await checkAll({ url: wharf.url, authorization: basic(robot) }, everything.slice(-20));
  },
  kills * 12_000,
);

interface Books {
  readonly sent: Sent[];
  readonly open: Set<OpenUpload>;
  /** By the tag's address: what it may name, the last acknowledged first. */
  readonly tags: Map<string, string[]>;
  /** Called in the same turn that the 201 arrived in. */
  onAcknowledged(): void;
  /** Called in the same turn that a chunk was answered in, while its upload is open. */
  onChunk(): void;
}

/** Pushes an image as clients do: blobs small, middling and large, one in chunks, then the manifest under two tags. */
async function pushOne(target: RegistryTarget, repository: string, tag: string, books: Books): Promise<void> {
  const image = smallImage(tag, [500, 20_000, 300_000]);
  for (const bytes of image.blobs) {
    await record(books, `/v2/${repository}/blobs/${sha256Of(bytes)}`, sha256Of(bytes), () =>
      pushBlob(target, repository, bytes),
    );
  }
  const large = randomBytes(1_500_000);
  const upload: OpenUpload = { place: "", repository, bytes: large };
  await record(books, `/v2/${repository}/blobs/${sha256Of(large)}`, sha256Of(large), () =>
    pushBlobInChunks(target, repository, large, {
      chunkBytes: 400_000,
      onPlace: (place) => {
        upload.place = place;
        books.open.add(upload);
        books.onChunk();
      },
    }),
  );
  books.open.delete(upload);
  await record(books, `/v2/${repository}/manifests/${image.manifestDigest}`, image.manifestDigest, () =>
    pushManifest(target, repository, image),
  );
  const moving = `/v2/${repository}/manifests/latest`;
  books.tags.set(moving, [...(books.tags.get(moving) ?? []), image.manifestDigest]);
  await pushManifest(target, repository, { ...image, tag: "latest" });
  books.tags.set(moving, [image.manifestDigest]);
}

async function record(books: Books, path: string, digest: string, push: () => Promise<void>): Promise<void> {
  const entry: Sent = { path, digest, acknowledged: false };
  books.sent.push(entry);
  await push();
  entry.acknowledged = true;
  books.onAcknowledged();
}

/** The long run says what it did; WHARF_REPORT names a file for it. */
async function report(figures: Readonly<Record<string, number>>): Promise<void> {
  if (process.env.SLOW !== "1") return;
  const text = `${Object.entries(figures)
    .map(([name, value]) => `| ${name} | ${value} |`)
    .join("\n")}\n`;
  process.stdout.write(text);
  if (process.env.WHARF_REPORT !== undefined) await Bun.write(process.env.WHARF_REPORT, text);
}

/** Acknowledged: there, with its digest. Not acknowledged: absent, or whole. How many of the latter were whole. */
async function checkAll(target: RegistryTarget, sent: readonly Sent[]): Promise<number> {
  const wrong: string[] = [];
  let whole = 0;
  for (const entry of sent) {
    const found = await digestAt(target, entry.path);
    if (found !== undefined && !entry.acknowledged) whole += 1;
    if (found === undefined ? entry.acknowledged : found !== entry.digest) {
      wrong.push(`${entry.path}: ${found ?? "absent"}, acknowledged: ${entry.acknowledged}`);
    }
  }
  expect(wrong).toEqual([]);
  return whole;
}

/** True when the upload went on where the server said and ended well; false when it had vanished. */
async function resume(target: RegistryTarget, upload: OpenUpload): Promise<boolean> {
  const status = await ask(target, "GET", upload.place);
  await status.arrayBuffer();
  if (status.status === 404) return false;
  expect(status.status).toBe(204);
  const received = Number(/^0-(\d+)$/.exec(status.headers.get("range") ?? "")?.[1] ?? "-1") + 1;
  // "0-0" is what an empty upload says too: a chunk at 0 is right for it, and refused for one that holds a byte.
  const at = received <= 1 ? 0 : received;
  let place = status.headers.get("location") ?? upload.place;
  const rest = upload.bytes.subarray(at);
  if (rest.byteLength > 0) place = await patchUpload(target, place, at, rest);
  await finishUpload(target, place, sha256Of(upload.bytes));
  const path = `/v2/${upload.repository}/blobs/${sha256Of(upload.bytes)}`;
  expect(await digestAt(target, path)).toBe(sha256Of(upload.bytes));
  return true;
}
