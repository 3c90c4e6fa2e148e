/** What `wharf serve` makes of a pushed image: on request and on push, once, for those who may pull, as long as the image is there. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createRegistryClient, type RegistryClient } from "#client";
import { Secret } from "#core";
import { digestOf, mediaTypes } from "#oci";
import { createFetch } from "#system";
import { pushBlob, pushImage, pushManifest } from "../support/push-image.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import { renderTarItems } from "../support/tar-writer.ts";
import { startTestServer, type TestLogin, type TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const SIF_LAYER = "application/vnd.sylabs.sif.layer.v1.sif";
const SIF_CONFIG = "application/vnd.sylabs.sif.config.v1+json";
const LONG_MS = 60_000;

let server: TestServer;
let client: RegistryClient;
let scratch: Scratch;
let images = 0;

beforeAll(async () => {
  scratch = createScratch("served");
  server = await startTestServer();
  await server.createProject("team");
  await server.api("PATCH", "/projects/team", { convert: "both" });
  client = createRegistryClient({
    registry: server.address,
    fetch: createFetch({ environment: {}, userAgent: "wharf/test" }),
    credentials: { username: server.admin.username, secret: new Secret(server.admin.secret) },
  });
}, LONG_MS);
afterAll(async () => {
  await server.stop();
  scratch.remove();
});

interface Manifest {
  readonly config: { readonly mediaType: string };
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[];
  readonly subject: { readonly digest: string };
}

const ask = (path: string, as?: TestLogin | null, method = "GET"): Promise<Response> =>
  server.fetch(`/v2/${path}`, { method, ...(as === undefined ? {} : { as }) });

/** An image of its own, with a program in it. */
function push(
  repository: string,
  tag: string,
  architecture = "amd64",
): Promise<{ digest: string; size: number; mediaType: string }> {
  const layer = renderTarItems([
    { path: "bin/" },
    { path: "bin/tool", mode: 0o755, content: `#!/bin/sh\necho ${images++} ${crypto.randomUUID()}\n` },
    { path: "data", content: crypto.getRandomValues(new Uint8Array(40_000)) },
  ]);
  return pushImage(client, repository, { tag, layers: [layer], platform: { os: "linux", architecture } });
}

async function manifestOf(path: string): Promise<Manifest> {
  const answer = await ask(path);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Manifest;
}

async function referrersOf(repository: string, digest: string): Promise<number> {
  const answer = await ask(
    `${repository}/referrers/${digest}?artifactType=${encodeURIComponent(SIF_CONFIG)}`,
  );
  return ((await answer.json()) as { manifests: unknown[] }).manifests.length;
}

const objects = (): number =>
  readdirSync(join(server.dataDir, "blobs"), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  ).length;

test(
  "TAG.sif is the image's SIF, its referrer, and one blob",
  async () => {
    const image = await push("team/app", "v1.2");
    const manifest = await manifestOf("team/app/manifests/v1.2.sif");
    expect(manifest.config.mediaType).toBe(SIF_CONFIG);
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([SIF_LAYER]);
    expect(manifest.subject.digest).toBe(image.digest);
    const layer = manifest.layers[0];
    const bytes = new Uint8Array(await (await ask(`team/app/blobs/${layer?.digest}`)).arrayBuffer());
    expect(bytes.length).toBe(layer?.size ?? 0);
    expect(digestOf(bytes)).toBe(layer?.digest ?? "");
    expect(new TextDecoder().decode(bytes.subarray(32, 41))).toBe("SIF_MAGIC");
    expect(await referrersOf("team/app", image.digest)).toBe(1);
    const squashfs = await manifestOf("team/app/manifests/v1.2.sqsh");
    expect(squashfs.subject.digest).toBe(image.digest);
    expect(squashfs.layers[0]?.digest).not.toBe(layer?.digest);
  },
  LONG_MS,
);

test(
  "of an index each platform has its own, and TAG.sif is for amd64 or the only one",
  async () => {
    const [amd, arm] = [await push("team/multi", "a"), await push("team/multi", "b", "arm64")];
    const entry = (image: typeof amd, architecture: string) => ({
      mediaType: image.mediaType,
      digest: image.digest,
      size: image.size,
      platform: { os: "linux", architecture },
    });
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex };
    const both = [entry(arm, "arm64"), entry(amd, "amd64")];
    await pushManifest(client, "team/multi", "v1", { ...index, manifests: both });
    await pushManifest(client, "team/multi", "arm", { ...index, manifests: [entry(arm, "arm64")] });
    for (const [tag, image] of [
      ["v1.sif", amd],
      ["v1.amd64.sif", amd],
      ["v1.arm64.sif", arm],
      ["arm.sif", arm],
    ] as const)
      expect([tag, (await manifestOf(`team/multi/manifests/${tag}`)).subject.digest]).toEqual([
        tag,
        image.digest,
      ]);
    for (const tag of ["v1.s390x.sif", "a.arm64.sif", "v2.sif", "v1.SIF", "v1.img", "sif", ".sif"])
      expect([tag, (await ask(`team/multi/manifests/${tag}`)).status].join(" ")).toMatch(/ (404|400)$/);
  },
  LONG_MS,
);

test(
  "a tag that somebody pushed under that name comes first",
  async () => {
    await push("team/own", "v1");
    const own = await push("team/own", "v1.sif");
    const answer = await ask("team/own/manifests/v1.sif");
    expect(answer.headers.get("docker-content-digest")).toBe(own.digest);
  },
  LONG_MS,
);

test(
  "it goes with its image: deleted, untagged or moved, the bytes too",
  async () => {
    const before = objects();
    const image = await push("team/gone", "v1");
    const ofImage = objects() - before;
    const first = await manifestOf("team/gone/manifests/v1.sif");
    expect(objects()).toBe(before + ofImage + 1);
    const blob = `team/gone/blobs/${first.layers[0]?.digest}`;
    expect((await ask(blob, undefined, "HEAD")).status).toBe(200);

    // Another name keeps it.
    await pushAgain("team/gone", image.digest, "v2");
    await push("team/gone", "v1");
    expect(await referrersOf("team/gone", image.digest)).toBe(1);
    expect((await ask("team/gone/manifests/v2", undefined, "DELETE")).status).toBe(202);
    expect(await referrersOf("team/gone", image.digest)).toBe(0);
    expect((await ask(blob, undefined, "HEAD")).status).toBe(404);
    await until("the bytes are gone", () => Promise.resolve(objects() === before + 2 * ofImage || undefined));

    // By its digest.
    const second = await manifestOf("team/gone/manifests/v1.sif");
    expect((await ask(`team/gone/manifests/${second.subject.digest}`, undefined, "DELETE")).status).toBe(202);
    expect((await ask("team/gone/manifests/v1.sif")).status).toBe(404);
    await until("the bytes are gone", () => Promise.resolve(objects() === before + 2 * ofImage || undefined));
  },
  LONG_MS,
);

async function pushAgain(repository: string, digest: string, tag: string): Promise<void> {
  const found = await ask(`${repository}/manifests/${digest}`);
  const body = new Uint8Array(await found.arrayBuffer());
  const answer = await server.fetch(`/v2/${repository}/manifests/${tag}`, {
    method: "PUT",
    body,
    headers: { "content-type": found.headers.get("content-type") ?? "" },
  });
  expect(answer.status).toBe(201);
}

test(
  "whoever may not pull the image learns nothing, and makes nothing",
  async () => {
    await push("team/secret", "v1");
    const stranger = await server.createUser("stranger");
    for (const as of [stranger, null]) {
      const [image, sif] = [
        await ask("team/secret/manifests/v1", as),
        await ask("team/secret/manifests/v1.sif", as),
      ];
      expect(sif.status).toBe(image.status);
      expect([401, 404]).toContain(sif.status);
      expect(await sif.text()).toBe(await image.text());
    }
    expect(await server.api("GET", "/projects/team/conversions")).toMatchObject({ jobs: [] });
    const robot = await server.createRobot("team", "puller", ["pull"]);
    expect((await ask("team/secret/manifests/v1.sif", robot)).status).toBe(200);
  },
  LONG_MS,
);

test(
  "what cannot be converted says why, again and again, and is tried once",
  async () => {
    const { log } = await pushBroken("team/broken");
    for (const _ of [1, 2]) {
      const answer = await ask("team/broken/manifests/v1.sif");
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain("team/broken:v1.sif cannot be made: ");
    }
    const { jobs } = (await server.api("GET", "/projects/team/conversions")) as { jobs: object[] };
    expect(jobs).toMatchObject([{ image: log, state: "failed", attempts: 1 }]);
    expect(await (await server.fetch("/metrics")).text()).toContain(
      'wharf_jobs{kind="convert-image",state="failed"} 1',
    );
    await server.api("PATCH", "/projects/team", { convert: "both" });
    expect(await server.api("GET", "/projects/team/conversions")).toMatchObject({ jobs: [] });
  },
  LONG_MS,
);

/** Its layer is no tar. */
async function pushBroken(repository: string): Promise<{ log: string }> {
  const bytes = crypto.getRandomValues(new Uint8Array(2048));
  const layer = await pushBlob(client, repository, mediaTypes.ociLayer, bytes);
  const config = await pushBlob(
    client,
    repository,
    mediaTypes.ociConfig,
    new TextEncoder().encode(JSON.stringify({ os: "linux", architecture: "amd64" })),
  );
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
  const { digest } = await pushManifest(client, repository, "v1", manifest);
  return { log: `${repository}@${digest} sif` };
}

test(
  "on push it is made before anybody asks; switched off it is not made",
  async () => {
    await server.createProject("eager");
    await server.api("PATCH", "/projects/eager", { convert: "sif", convertOn: "push" });
    await push("eager/app", "v1");
    await until("it is made", async () => {
      const { results, jobs } = await server.api("GET", "/projects/eager/conversions");
      return (results === 1 && (jobs as unknown[]).length === 0) || undefined;
    });
    expect((await ask("eager/app/manifests/v1.sqsh")).status).toBe(404);
    await server.api("PATCH", "/projects/eager", { convert: "off" });
    await push("eager/app", "v2");
    expect((await ask("eager/app/manifests/v2.sif")).status).toBe(404);
    expect((await ask("eager/app/manifests/v1.sif")).status).toBe(404);
    expect(await server.api("GET", "/projects/eager/conversions")).toMatchObject({ results: 1, jobs: [] });
  },
  LONG_MS,
);
