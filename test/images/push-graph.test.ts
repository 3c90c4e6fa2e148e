/** Images out of memory into our own registry and into Distribution: what is sent, mounted, left alone, in which order, and what is there afterwards. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createRegistryClient, type RegistryClient } from "#client";
import { AppError, type Secret, silentLogger } from "#core";
import { type Descriptor, digestOf, mediaTypes } from "#oci";
import { createFetch } from "#system";
import { readGraph, withReferrers } from "../../src/images/copy/image-graph.ts";
import { type PushOutcome, type PushTarget, pushGraph } from "../../src/images/copy/push-graph.ts";
import { startDistribution } from "../support/distribution.ts";
import { type MemoryContent, memoryContent } from "../support/memory-content.ts";
import { needs, programPath } from "../support/programs.ts";
import { createRegistryFixture, type RegistryFixture } from "../support/registry-fixture.ts";
import { mustRun } from "../support/run-program.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const fetch = createFetch({ environment: {}, userAgent: "wharf/test" });
const amd64 = { os: "linux", architecture: "amd64" };

let it: RegistryFixture;
let scratch: Scratch;
let client: RegistryClient;
let secret: Secret;

beforeAll(async () => {
  it = await createRegistryFixture();
  scratch = createScratch("push");
  await it.accounts.project("team");
  await it.accounts.project("other");
  const main = await it.accounts.user("main", { roles: { team: "maintainer", other: "maintainer" } });
  ({ secret } = await it.accounts.token(main));
  client = createRegistryClient({
    registry: new URL(it.url).host,
    fetch,
    credentials: { username: "main", secret },
  });
});
afterAll(async () => {
  await it.close();
  scratch.remove();
});

function imageOf(label: string): MemoryContent {
  return memoryContent(`docker://example.org/${label}:1`, {
    layers: [
      [{ path: "shared", content: label }],
      [{ path: "big", content: Buffer.alloc(3_000_000, label) }],
    ],
    platforms: [amd64, { os: "linux", architecture: "arm64" }],
  });
}

async function push(
  content: MemoryContent,
  target: Partial<PushTarget> & { readonly repository: string },
): Promise<PushOutcome> {
  const graph = await readGraph(context, content, "all");
  return pushGraph(context, content, graph, { client, tag: "v1", mountFrom: new Map(), ...target });
}

test("a whole index is there afterwards, byte for byte; the second time nothing is sent or read", async () => {
  const content = imageOf("whole");
  expect(await push(content, { repository: "team/whole" })).toMatchObject({
    sent: 4,
    present: 0,
    isPresent: false,
  });
  for (const [digest, bytes] of content.manifests)
    expect(
      Buffer.from((await client.getManifest(context, "team/whole", digest))?.bytes ?? []).equals(bytes),
    ).toBe(true);
  for (const digest of content.blobs.keys())
    expect(await client.hasBlob(context, "team/whole", digest)).toBe(true);
  const reads = content.reads;
  expect(await push(content, { repository: "team/whole" })).toMatchObject({ isPresent: true, sentBytes: 0 });
  expect(content.reads).toBe(reads);
  const again = await push(content, { repository: "team/whole", tag: "v2" });
  expect(again).toMatchObject({ sent: 0, present: 4, sentBytes: 0 });
  expect(await client.listTags(context, "team/whole")).toEqual(["v1", "v2"]);
});

test("what another repository of the registry holds is mounted", async () => {
  const content = imageOf("mounted");
  const mountFrom = new Map<string, string>();
  await push(content, { repository: "team/one", mountFrom });
  const reads = content.reads;
  expect(await push(content, { repository: "other/two", mountFrom })).toMatchObject({ sent: 0, mounted: 4 });
  expect(content.reads).toBe(reads);
});

test("nothing has a name before it is whole", async () => {
  const content = imageOf("broken");
  content.blobs.delete([...content.blobs.keys()][1] ?? "");
  await expect(push(content, { repository: "team/broken" })).rejects.toMatchObject({ code: "BLOB_UNKNOWN" });
  expect(await client.headManifest(context, "team/broken", "v1")).toBeUndefined();
});

test("what refers to an image goes along, and what refers to that", async () => {
  const content = imageOf("signed");
  const refer = (subject: Descriptor, text: string): Descriptor => {
    const layer = new TextEncoder().encode(text);
    const empty = new TextEncoder().encode("{}");
    for (const blob of [layer, empty]) content.blobs.set(digestOf(blob), blob);
    const bytes = new TextEncoder().encode(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        artifactType: "application/vnd.example.signature",
        config: { mediaType: mediaTypes.ociEmpty, digest: digestOf(empty), size: empty.length },
        layers: [{ mediaType: "text/plain", digest: digestOf(layer), size: layer.length }],
        subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.sizeBytes },
      }),
    );
    content.manifests.set(digestOf(bytes), bytes);
    return {
      mediaType: mediaTypes.ociManifest,
      digest: digestOf(bytes),
      sizeBytes: bytes.length,
      urls: [],
      annotations: {},
    };
  };
  const signature = refer(content.root, "signature");
  const countersigned = refer(signature, "countersigned");
  const referrers = new Map([
    [content.root.digest, [signature]],
    [signature.digest, [countersigned]],
  ]);
  const knowing = {
    ...content,
    referrers: async (_: unknown, digest: string) => referrers.get(digest) ?? [],
  };
  await push(content, { repository: "team/signed" });
  const graph = await withReferrers(context, knowing, await readGraph(context, knowing, "all"));
  await pushGraph(context, knowing, graph, {
    client,
    repository: "team/signed",
    tag: "v1",
    mountFrom: new Map(),
  });
  const found = await client.referrers(context, "team/signed", content.root.digest);
  expect(found.map(({ digest }) => digest)).toEqual([signature.digest]);
  const further = await client.referrers(context, "team/signed", signature.digest);
  expect(further.map(({ digest }) => digest)).toEqual([countersigned.digest]);
  const head = await client.headManifest(context, "team/signed", "v1");
  expect(head?.digest).toBe(content.root.digest);
});

test("an upload that is cut off is sent again", async () => {
  const content = imageOf("cut");
  let cuts = 0;
  const cutting = createRegistryClient({
    registry: new URL(it.url).host,
    credentials: { username: "main", secret },
    async fetch(url, request) {
      if (request?.method === "PUT" && url.includes("/blobs/uploads/") && cuts < 2) {
        cuts++;
        throw new AppError("UNREACHABLE", "cut", { details: { failure: "reset" } });
      }
      return fetch(url, request);
    },
  });
  expect(await push(content, { repository: "team/cut", client: cutting })).toMatchObject({ sent: 4 });
  expect(cuts).toBe(2);
});

needs("registry", "crane")("Distribution takes it too, and crane finds it right", async () => {
  const peer = await startDistribution(scratch);
  try {
    const other = createRegistryClient({ registry: peer.host, fetch, plainHttp: true });
    const content = imageOf("peer");
    const mountFrom = new Map<string, string>();
    expect(await push(content, { repository: "team/a", client: other, mountFrom })).toMatchObject({
      sent: 4,
    });
    const second = await push(content, { repository: "team/b", client: other, mountFrom });
    expect(second).toMatchObject({ sent: 0, mounted: 4 });
    await mustRun([programPath("crane"), "validate", "--insecure", "--remote", `${peer.host}/team/b:v1`]);
  } finally {
    await peer.stop();
  }
});
