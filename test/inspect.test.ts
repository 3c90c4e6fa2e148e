/** `wharf inspect`: images of our own registry without their layers, and files as runtimes run them. */
import { beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRegistryClient } from "#client";
import { Secret } from "#core";
import { digestOf, mediaTypes } from "#oci";
import { createFetch } from "#system";
import { type PushedDescriptor, pushImage, pushManifest } from "./support/push-image.ts";
import { savedImage } from "./support/saved-image.ts";
import { renderTarItems } from "./support/tar-writer.ts";
import { useWharfHome } from "./support/use-wharf-home.ts";

const it = useWharfHome("inspect");
const layer = renderTarItems([{ path: "hello", content: "hello\n" }]);
let index: PushedDescriptor;

beforeAll(async () => {
  await it.server.createProject("open", "public");
  const robot = await it.server.createRobot("open", "ci", ["pull", "push"]);
  const client = createRegistryClient({
    registry: it.server.address,
    fetch: createFetch({ environment: {}, userAgent: "wharf/test" }),
    credentials: { username: robot.username, secret: new Secret(robot.secret) },
  });
  const manifests = [];
  for (const architecture of ["amd64", "arm64"]) {
    const platform = { os: "linux", architecture };
    const run = {
      Entrypoint: ["/hello", "a b"],
      Env: [`ARCH=${architecture}`],
      Labels: { about: "\u001b[31mred" },
    };
    manifests.push({
      ...(await pushImage(client, "open/app", { layers: [layer], platform, run })),
      platform,
    });
  }
  const mediaType = mediaTypes.ociIndex;
  index = await pushManifest(client, "open/app", "v1", { schemaVersion: 2, mediaType, manifests });
}, 60_000);

const image = (): string => `docker://${it.server.address}/open/app:v1`;

test("an image of an index: digests, platforms, command; no layer is fetched", async () => {
  const before = it.server.logLines.length;
  const { code, out } = await it.wharf(`inspect ${image()} --platform linux/arm64 --json`);
  expect(code).toBe(0);
  const document = JSON.parse(out) as Record<string, Record<string, unknown>>;
  expect(document).toMatchObject({
    root: { digest: index.digest },
    platform: "linux/arm64",
    config: { entrypoint: ["/hello", "a b"], command: null, env: ["ARCH=arm64"] },
    entries: [{ platform: "linux/amd64" }, { platform: "linux/arm64" }],
  });
  const digest = digestOf(Bun.gzipSync(new Uint8Array(layer)));
  expect(document["layers"]).toMatchObject([{ digest }]);
  const asked = it.server.logLines.slice(before).join("\n");
  expect(asked).toContain("/v2/open/app/");
  expect(asked).not.toContain(digest);
  const shown = await it.wharf(`inspect ${image()} --platform arm64`);
  expect(shown.out).toContain("linux/amd64, linux/arm64");
  // What is of others does nothing to a terminal.
  expect(shown.out).not.toContain("\u001b");
});

test("--raw is the index byte for byte, or the manifest of the platform that was asked for", async () => {
  const whole = await it.wharf(`inspect ${image()} --raw`);
  expect(digestOf(whole.outBytes)).toBe(index.digest);
  const one = await it.wharf(`inspect ${image()} --raw --platform linux/amd64`);
  const document = JSON.parse(whole.out) as { manifests: { digest: string }[] };
  expect(digestOf(one.outBytes)).toBe(String(document.manifests[0]?.digest));
});

test("a SIF and a squashfs, whatever their names; a damaged one, and one that is not there", async () => {
  writeFileSync(join(it.home, "image.tar"), savedImage());
  await it.wharf("pull docker-archive:image.tar image.sif");
  await it.wharf("pull docker-archive:image.tar image.sqsh");
  const sif = JSON.parse((await it.wharf("inspect image.sif --json")).out) as Record<string, unknown>;
  expect(sif).toMatchObject({
    kind: "sif",
    architecture: "amd64",
    id: null,
    definition: "bootstrap: docker-archive\nfrom: image.tar\n\n",
    squashfs: { compression: "gzip", blockBytes: 131_072 },
    documents: { "oci-config.json": {} },
  });
  const shown = (await it.wharf("inspect image.sif")).out;
  expect(shown).toContain("primary-system, squashfs");
  expect(shown).toContain('eval "set ${SINGULARITY_OCI_RUN}"');
  writeFileSync(join(it.home, "other"), readFileSync(join(it.home, "image.sqsh")));
  expect((await it.wharf("inspect other")).out).toContain("zstd, in blocks of 128 KiB");
  expect((await it.wharf("inspect image.sif --raw")).code).toBe(2);
  writeFileSync(join(it.home, "cut.sif"), readFileSync(join(it.home, "image.sif")).subarray(0, 9000));
  expect((await it.wharf("inspect cut.sif")).err).toContain("no SIF that can be read");
  writeFileSync(join(it.home, "cut.sqsh"), readFileSync(join(it.home, "image.sqsh")).subarray(0, 200));
  expect((await it.wharf("inspect cut.sqsh")).err).toContain("it is cut short");
  expect((await it.wharf("inspect none.sif")).err).toContain("none.sif is not there");
});
