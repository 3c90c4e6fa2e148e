/** Our client against our registry: what `wharf login`, `check`, `why` and `pull` rest on. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createRegistryClient, type LoginClient } from "#client";
import { Secret, silentLogger } from "#core";
import { digestOf, mediaTypes } from "#oci";
import { createFetch } from "#system";
import { createRegistryFixture, type RegistryFixture } from "./support/registry-fixture.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const fetch = createFetch({ environment: {}, userAgent: "wharf/test" });
const HOUR = 3_600_000;

let it: RegistryFixture;
let maintainer: LoginClient;
let puller: LoginClient;
let strangerClient: LoginClient;

function clientOf(username?: string, secret?: Secret): LoginClient {
  const credentials =
    username === undefined || secret === undefined ? {} : { credentials: { username, secret } };
  return createRegistryClient({ registry: new URL(it.url).host, fetch, ...credentials });
}

beforeAll(async () => {
  it = await createRegistryFixture();
  await it.accounts.project("team");
  await it.accounts.project("open", "public");
  const login = async (name: string, id: number): Promise<LoginClient> =>
    clientOf(name, (await it.accounts.token(id)).secret);
  maintainer = await login(
    "main",
    await it.accounts.user("main", { roles: { team: "maintainer", open: "maintainer" } }),
  );
  puller = await login("robot-team-ci", await it.accounts.robot({ name: "ci", project: "team" }));
  strangerClient = await login("stranger", await it.accounts.user("stranger"));
});
afterAll(() => it.close());

/** Pushes an image of one layer, in chunks; gives the manifest's digest and the layer. */
async function push(repository: string, tag: string): Promise<{ digest: string; layer: Blob }> {
  const layer = new Blob([crypto.getRandomValues(new Uint8Array(50_000))]);
  const layerDigest = digestOf(await layer.bytes());
  const config = new TextEncoder().encode('{"architecture":"amd64","os":"linux"}');
  const blobs = [
    { digest: layerDigest, sizeBytes: layer.size, content: layer, chunkBytes: 20_000 },
    { digest: digestOf(config), sizeBytes: config.length, content: new Blob([config]) },
  ];
  for (const blob of blobs) await maintainer.uploadBlob(context, repository, blob);
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: mediaTypes.ociLayer, digest: layerDigest, size: layer.size }],
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  const mediaType = mediaTypes.ociManifest;
  return { digest: await maintainer.putManifest(context, repository, { tag, bytes, mediaType }), layer };
}

test("asks for a Bearer token of the same host", async () => {
  const ping = await clientOf().ping(context);
  expect(ping).toMatchObject({ base: it.url, auth: { kind: "bearer" }, realmHosts: ["127.0.0.1"] });
});

test("a login is proved, though anonymous gets tokens for what is public", async () => {
  expect(await puller.proveLogin(context)).toMatchObject({ outcome: "proved", realmHosts: ["127.0.0.1"] });
  expect(await maintainer.proveLogin(context)).toMatchObject({ outcome: "proved" });
});

test("a login that is no good is refused, with the reason where it was one", async () => {
  const wrong = clientOf("main", new Secret(crypto.randomUUID()));
  await expect(wrong.proveLogin(context)).rejects.toMatchObject({
    code: "LOGIN_REFUSED",
    details: { status: 401 },
  });
  const id = await it.accounts.user("short", { roles: { team: "guest" } });
  const { secret } = await it.accounts.token(id, it.accounts.clock.now() + HOUR);
  const { expiresAt } = await clientOf("short", secret).proveLogin(context);
  expect(expiresAt).toEqual(new Date(it.accounts.clock.now() + HOUR));
  it.accounts.clock.forward(2 * HOUR);
  try {
    await clientOf("short", secret).proveLogin(context);
    throw new Error("was let in");
  } catch (error) {
    expect(error).toMatchObject({ code: "LOGIN_REFUSED" });
    expect(String(error)).toContain("expired");
    expect(String(error)).not.toContain(secret.reveal());
  }
});

test("an image goes in and comes out, by the robot that may only pull", async () => {
  const { digest, layer } = await push("team/app", "v1");
  const manifest = await puller.getManifest(context, "team/app", "v1");
  expect([manifest?.digest, manifest?.mediaType]).toEqual([digest, mediaTypes.ociManifest]);
  const wanted = { digest: digestOf(await layer.bytes()), sizeBytes: layer.size };
  const blob = await puller.getBlob(context, "team/app", wanted);
  expect(await new Response(blob?.body).bytes()).toEqual(await layer.bytes());
  expect(await puller.listTags(context, "team/app")).toEqual(["v1"]);
  const upload = { ...wanted, digest: digestOf("other"), sizeBytes: 5, content: new Blob(["other"]) };
  await expect(puller.uploadBlob(context, "team/app", upload)).rejects.toMatchObject({
    code: "DENIED",
  });
  expect(await maintainer.mountBlob(context, "open/app", "team/app", wanted.digest)).toBeTrue();
});

test("referrers come from the API", async () => {
  const { digest } = await push("team/signed", "v1");
  const subject = { mediaType: mediaTypes.ociManifest, digest, size: 1 };
  const empty = { mediaType: mediaTypes.ociEmpty, digest: digestOf("{}"), size: 2 };
  await maintainer.uploadBlob(context, "team/signed", {
    digest: empty.digest,
    sizeBytes: 2,
    content: new Blob(["{}"]).stream(),
  });
  const signature = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: "application/x.signature",
    config: empty,
    layers: [],
    subject,
  };
  const bytes = new TextEncoder().encode(JSON.stringify(signature));
  await maintainer.putManifest(context, "team/signed", { bytes, mediaType: mediaTypes.ociManifest });
  const found = await puller.referrers(context, "team/signed", digest, "application/x.signature");
  expect(found.map((one) => one.digest)).toEqual([digestOf(bytes)]);
  expect(await puller.referrers(context, "team/signed", digest, "application/x.other")).toEqual([]);
});

test("a probe tells who may pull what", async () => {
  await push("team/probe", "v1");
  await push("open/probe", "v1");
  const probe = (client: LoginClient, repository: string, tag = "v1") =>
    client.probePull(context, repository, tag);
  expect(await probe(puller, "team/probe")).toMatchObject({ allowed: true, status: 200 });
  expect(await probe(clientOf(), "open/probe")).toMatchObject({ allowed: true, status: 200 });
  expect(await probe(clientOf(), "team/probe")).toMatchObject({ allowed: false, status: 401 });
  expect(await probe(strangerClient, "team/probe")).toMatchObject({ allowed: false, status: 404 });
  expect(await probe(puller, "team/probe", "none")).toMatchObject({
    allowed: false,
    status: 404,
    reason: "MANIFEST_UNKNOWN",
  });
});
