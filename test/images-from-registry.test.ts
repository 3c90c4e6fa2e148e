/** Images out of our own registry, through the cache: which one of an index, which bytes, how many requests. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createRegistryClient, type RegistryClient } from "#client";
import { Secret, silentLogger } from "#core";
import {
  openCacheFolder,
  openSource,
  openView,
  type PlatformChoice,
  parsePlatform,
  parseSource,
  readLayer,
  readStretch,
  type SourceSurroundings,
} from "#images";
import { digestOf, mediaTypes } from "#oci";
import { createFetch } from "#system";
import { type PushedDescriptor, pushBlob, pushImage, pushManifest } from "./support/push-image.ts";
import { createRegistryFixture, type RegistryFixture } from "./support/registry-fixture.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { renderTarItems } from "./support/tar-writer.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const fetch = createFetch({ environment: {}, userAgent: "wharf/test" });
const HOST = (): string => new URL(it.url).host;

let it: RegistryFixture;
let scratch: Scratch;
let pusher: RegistryClient;
let puller: RegistryClient;
let caches = 0;

const lower = renderTarItems([{ path: "etc/" }, { path: "etc/name", content: "lower" }]);
const big = crypto.getRandomValues(new Uint8Array(65_536));
const upper = renderTarItems([
  { path: "etc/name", content: "upper" },
  { path: "big", content: big },
]);

beforeAll(async () => {
  it = await createRegistryFixture();
  scratch = createScratch("images");
  await it.accounts.project("team");
  const clientOf = async (name: string, id: number): Promise<RegistryClient> =>
    createRegistryClient({
      registry: HOST(),
      fetch,
      credentials: { username: name, secret: (await it.accounts.token(id)).secret },
    });
  pusher = await clientOf("main", await it.accounts.user("main", { roles: { team: "maintainer" } }));
  puller = await clientOf("robot-team-ci", await it.accounts.robot({ name: "ci", project: "team" }));
  await pushImage(pusher, "team/app", { tag: "one", layers: [lower, upper], run: { Env: ["A=b"] } });
});
afterAll(async () => {
  await it.close();
  scratch.remove();
});

async function surroundings(more: Partial<SourceSurroundings> = {}): Promise<SourceSurroundings> {
  return {
    cache: await openCacheFolder(scratch.at(`cache-${caches++}`)),
    openRegistry: async () => puller,
    daemon: { dockerHost: undefined, fetch },
    fetchUrl: () => Promise.reject(new Error("nothing else is asked")),
    ...more,
  };
}

const amd64: PlatformChoice = { platform: parsePlatform("amd64"), isAsked: false };
const asked = (text: string): PlatformChoice => ({ platform: parsePlatform(text), isAsked: true });

test("an image comes with its config and its layers, checked, and the second time from the cache", async () => {
  const around = await surroundings();
  const content = await openSource(context, parseSource(`docker://${HOST()}/team/app:one`), around);
  const view = await openView(context, content, amd64);
  expect(view.name).toBe(`docker://${HOST()}/team/app:one`);
  expect(view.config.env).toEqual(["A=b"]);
  expect(digestOf(view.manifest.bytes)).toBe(view.manifest.descriptor.digest);
  const paths: string[][] = [];
  for (const layer of view.layers) {
    const index = await readLayer(layer, { entry: () => "skip", content: () => undefined }, context);
    paths.push(index.entries.map(({ path }) => path));
  }
  expect(paths).toEqual([
    ["etc", "etc/name"],
    ["etc/name", "big"],
  ]);
  await content.settle();
  await content.close();

  let requests = 0;
  const counted: RegistryClient = {
    ...puller,
    headManifest: (...args) => {
      requests++;
      return puller.headManifest(...args);
    },
    getManifest: () => Promise.reject(new Error("asked for a manifest")),
    getBlobStretch: () => Promise.reject(new Error("asked for a blob")),
  };
  const again = await openSource(context, parseSource(`${HOST()}/team/app:one`), {
    ...around,
    openRegistry: async () => counted,
  });
  const same = await openView(context, again, amd64);
  for (const layer of same.layers)
    expect(digestOf(await readStretch(layer.bytes, 0, layer.bytes.sizeBytes, context))).toBe(
      layer.descriptor.digest,
    );
  await again.close();
  expect(requests).toBe(1);
});

const listOf = (tag: string | undefined, manifests: readonly unknown[]): Promise<PushedDescriptor> =>
  pushManifest(pusher, "team/app", tag, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });

async function viewOf(tag: string, choice: PlatformChoice): Promise<string> {
  const content = await openSource(context, parseSource(`${HOST()}/team/app:${tag}`), await surroundings());
  try {
    const { platform } = (await openView(context, content, choice)).config;
    return `${platform.os}/${platform.architecture}`;
  } finally {
    await content.close();
  }
}

test("the image for the platform is chosen, in indexes in indexes too; attestations are none", async () => {
  const make = (architecture: string): Promise<PushedDescriptor> =>
    pushImage(pusher, "team/app", { layers: [lower], platform: { os: "linux", architecture } });
  const amd = await make("amd64");
  const arm = await make("arm64");
  const attestation = {
    ...(await pushImage(pusher, "team/app", {
      layers: [upper],
      platform: { os: "unknown", architecture: "unknown" },
    })),
    platform: { os: "unknown", architecture: "unknown" },
    annotations: { "vnd.docker.reference.type": "attestation-manifest" },
  };
  const linux = { os: "linux", architecture: "amd64" };
  const inner = await listOf(undefined, [
    { ...arm, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
    attestation,
  ]);
  await listOf("list", [attestation, { ...amd, platform: linux }, inner]);
  expect(await viewOf("list", amd64)).toBe("linux/amd64");
  expect(await viewOf("list", asked("linux/arm64"))).toBe("linux/arm64");
  await expect(viewOf("list", asked("s390x"))).rejects.toMatchObject({
    code: "UNSUPPORTED",
    hint: expect.stringContaining("linux/amd64, linux/arm64/v8"),
  });
  await listOf("only-arm", [{ ...arm, platform: { os: "linux", architecture: "arm64" } }]);
  expect(await viewOf("only-arm", amd64)).toBe("linux/arm64");
  await expect(viewOf("only-arm", asked("amd64"))).rejects.toMatchObject({ code: "UNSUPPORTED" });
  await expect(viewOf("one", asked("arm64"))).rejects.toMatchObject({ code: "UNSUPPORTED" });
  let deep = await listOf(undefined, [{ ...amd, platform: linux }]);
  for (let depth = 0; depth < 5; depth++) deep = await listOf("deep", [deep]);
  await expect(viewOf("deep", amd64)).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
});

test("what is no image is refused by its name", async () => {
  const layer = await pushBlob(
    pusher,
    "team/chart",
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    big,
  );
  const config = await pushBlob(
    pusher,
    "team/chart",
    "application/vnd.cncf.helm.config.v1+json",
    new TextEncoder().encode("{}"),
  );
  await pushManifest(pusher, "team/chart", "1", {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: [layer],
  });
  const content = await openSource(context, parseSource(`${HOST()}/team/chart:1`), await surroundings());
  await expect(openView(context, content, amd64)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("is a Helm chart, not a container image"),
  });
  await content.close();
});

test("an image that is not there, or not for this login, is said to be so", async () => {
  const around = await surroundings();
  await expect(openSource(context, parseSource(`${HOST()}/team/app:none`), around)).rejects.toMatchObject({
    code: "MANIFEST_UNKNOWN",
  });
  const stranger = createRegistryClient({
    registry: HOST(),
    fetch,
    credentials: { username: "main", secret: new Secret("wrong") },
  });
  const refused = openSource(context, parseSource(`${HOST()}/team/app:one`), {
    ...around,
    openRegistry: async () => stranger,
  });
  await expect(refused).rejects.toMatchObject({ code: "LOGIN_REFUSED" });
});

test("mirrors are asked first; one that fails or lacks a blob is passed over", async () => {
  const asks: string[] = [];
  const broken: RegistryClient = {
    ...puller,
    registry: "mirror.example.org",
    headManifest: async (inner, repository, key) => {
      asks.push(`${repository} ${key}`);
      return puller.headManifest(inner, "team/app", key);
    },
    getManifest: () => Promise.reject(new Error("the mirror is out of order")),
    getBlobStretch: async () => undefined,
  };
  const around = await surroundings({
    mirrors: ["mirror.example.org/proxy"],
    openRegistry: async (_context, { registry }) => (registry === "mirror.example.org" ? broken : puller),
  });
  const content = await openSource(context, parseSource(`${HOST()}/team/app:one`), around);
  const view = await openView(context, content, amd64);
  for (const layer of view.layers)
    expect(digestOf(await readStretch(layer.bytes, 0, layer.bytes.sizeBytes, context))).toBe(
      layer.descriptor.digest,
    );
  await content.close();
  expect(asks).toEqual(["proxy/team/app one"]);
});
