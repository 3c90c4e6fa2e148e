/** The client against a real Distribution 3, with and without a login. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { Secret, silentLogger } from "#core";
import { digestOf, mediaTypes } from "#oci";
import { createFetch } from "#system";
import { type Distribution, startDistribution } from "../../test/support/distribution.ts";
import { findProgram, needs } from "../../test/support/programs.ts";
import { createScratch, type Scratch } from "../../test/support/scratch.ts";
import { createRegistryClient, type LoginClient } from "./registry-client.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const fetch = createFetch({ environment: {}, userAgent: "wharf/test" });
const peerTest = needs("registry", "htpasswd");
const password = crypto.randomUUID();
const bytesOf = (value: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value));

let scratch: Scratch;
let peer: Distribution;

function clientOf(secret: string | undefined): LoginClient {
  const credentials =
    secret === undefined ? {} : { credentials: { username: "alice", secret: new Secret(secret) } };
  return createRegistryClient({ registry: peer.host, fetch, ...credentials });
}

beforeAll(async () => {
  if (findProgram("registry") === undefined || findProgram("htpasswd") === undefined) return;
  scratch = createScratch("peer");
  peer = await startDistribution(scratch, { users: { alice: password } });
});
afterAll(async () => {
  if (peer !== undefined) await peer.stop();
  if (scratch !== undefined) scratch.remove();
});

describe("a registry that wants Basic", () => {
  peerTest("is found without TLS on this machine, and says what it wants", async () => {
    expect(await clientOf(undefined).ping(context)).toEqual({
      base: `http://${peer.host}`,
      auth: { kind: "basic" },
      realmHosts: [],
    });
  });

  peerTest("proves the right secret and refuses the wrong one", async () => {
    expect(await clientOf(password).proveLogin(context)).toMatchObject({ outcome: "proved", realmHosts: [] });
    await expect(clientOf(`${password}x`).proveLogin(context)).rejects.toMatchObject({
      code: "LOGIN_REFUSED",
      details: { status: 401, reason: "UNAUTHORIZED" },
    });
  });

  peerTest("takes an image and gives it back", async () => {
    const client = clientOf(password);
    const layer = new Blob([crypto.getRandomValues(new Uint8Array(60_000)), "end"]);
    const digest = digestOf(await layer.bytes());
    const config = bytesOf({ architecture: "amd64", os: "linux" });
    const upload = { digest, sizeBytes: layer.size, content: layer };
    expect(await client.uploadBlob(context, "team/app", { ...upload, chunkBytes: 20_000 })).toBe("sent");
    expect(await client.uploadBlob(context, "team/app", upload)).toBe("present");
    await client.uploadBlob(context, "team/app", {
      digest: digestOf(config),
      sizeBytes: config.length,
      content: new Blob([config]).stream(),
    });
    const manifest = bytesOf({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: mediaTypes.ociLayer, digest, size: layer.size }],
    });
    const pushed = await client.putManifest(context, "team/app", {
      tag: "v1",
      bytes: manifest,
      mediaType: mediaTypes.ociManifest,
    });
    expect(pushed).toBe(digestOf(manifest));

    expect(await client.headManifest(context, "team/app", "v1")).toEqual({
      digest: pushed,
      mediaType: mediaTypes.ociManifest,
      sizeBytes: manifest.length,
    });
    expect((await client.getManifest(context, "team/app", pushed))?.bytes).toEqual(manifest);
    const blob = await client.getBlob(context, "team/app", { digest, sizeBytes: layer.size });
    expect(digestOf(await new Response(blob?.body).bytes())).toBe(digest);
    expect(await client.listTags(context, "team/app")).toEqual(["v1"]);
    expect(await client.listRepositories(context)).toEqual(["team/app"]);

    expect(await client.uploadBlob(context, "team/other", { ...upload, mountFrom: "team/app" })).toBe(
      "mounted",
    );
    expect(await client.mountBlob(context, "team/third", "team/app", digest)).toBeTrue();
    expect(await client.mountBlob(context, "team/third", "team/app", digestOf("not there"))).toBeFalse();

    // No referrers API here: the fallback tag is read.
    expect(await client.referrers(context, "team/app", pushed)).toEqual([]);
    const about = { mediaType: mediaTypes.ociManifest, digest: pushed, size: manifest.length };
    const referrers = bytesOf({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [{ ...about, artifactType: "application/x.sbom" }],
    });
    await client.putManifest(context, "team/app", {
      tag: pushed.replace(":", "-"),
      bytes: referrers,
      mediaType: mediaTypes.ociIndex,
    });
    const found = await client.referrers(context, "team/app", pushed, "application/x.sbom");
    expect(found.map((descriptor) => descriptor.digest)).toEqual([pushed]);
    expect(await client.referrers(context, "team/app", pushed, "application/x.other")).toEqual([]);

    expect(await client.deleteManifest(context, "team/app", pushed)).toBeTrue();
    expect(await client.deleteManifest(context, "team/app", pushed)).toBeFalse();
    expect(await client.getManifest(context, "team/app", "v1")).toBeUndefined();
  });

  peerTest("what is not there is a value", async () => {
    const client = clientOf(password);
    const digest = digestOf("nothing");
    expect(await client.headManifest(context, "no/such", "latest")).toBeUndefined();
    expect(await client.getManifest(context, "no/such", digest)).toBeUndefined();
    expect(await client.hasBlob(context, "no/such", digest)).toBeFalse();
    expect(await client.getBlob(context, "no/such", { digest })).toBeUndefined();
    expect(await client.listTags(context, "no/such")).toBeUndefined();
  });

  peerTest("tells a probe why: anonymous, wrong secret, nothing there", async () => {
    expect(await clientOf(undefined).probePull(context, "team/app", "v1")).toMatchObject({
      allowed: false,
      status: 401,
      reason: "UNAUTHORIZED",
    });
    expect(await clientOf("wrong").probePull(context, "team/app", "v1")).toMatchObject({
      allowed: false,
      status: 401,
    });
    expect(await clientOf(password).probePull(context, "team/none", "v1")).toMatchObject({
      allowed: false,
      status: 404,
      reason: "MANIFEST_UNKNOWN",
    });
  });
});

peerTest("a registry that lets anybody in proves no login", async () => {
  const open = createScratch("open");
  const anybody = await startDistribution(open);
  try {
    const credentials = { username: "alice", secret: new Secret(password) };
    const client = createRegistryClient({ registry: anybody.host, fetch, credentials });
    await expect(client.proveLogin(context)).rejects.toMatchObject({ code: "LOGIN_NOT_PROVED" });
  } finally {
    await anybody.stop();
    open.remove();
  }
});
