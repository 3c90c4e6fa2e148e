/** `wharf copy` between our own registry, layouts, archives and files: what is there afterwards, what was sent, what is said. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRegistryClient, type RegistryClient } from "#client";
import { Secret, silentLogger } from "#core";
import { mediaTypes } from "#oci";
import { createFetch } from "#system";
import { needs, programPath } from "./support/programs.ts";
import { type PushedDescriptor, pushBlob, pushImage, pushManifest } from "./support/push-image.ts";
import { mustRun } from "./support/run-program.ts";
import { createScratch } from "./support/scratch.ts";
import { renderTarItems } from "./support/tar-writer.ts";
import type { TestLogin } from "./support/test-server.ts";
import { useWharfHome } from "./support/use-wharf-home.ts";

const it = useWharfHome("copy");
const context = { signal: new AbortController().signal, log: silentLogger };
const scratch = createScratch("copied");
let robot: TestLogin;
let client: RegistryClient;
let index: PushedDescriptor;

const lower = renderTarItems([{ path: "etc/name", content: "lower" }]);
const layerOf = (text: string): Buffer => renderTarItems([{ path: "own", content: text }]);

beforeAll(async () => {
  await it.server.createProject("mirror");
  robot = await it.server.createRobot("team", "ci", ["pull", "push"]);
  client = createRegistryClient({
    registry: it.server.address,
    fetch: createFetch({ environment: {}, userAgent: "wharf/test" }),
    credentials: { username: robot.username, secret: new Secret(robot.secret) },
  });
  const platforms = ["amd64", "arm64"].map((architecture) => ({ os: "linux", architecture }));
  const images = [];
  for (const platform of platforms) {
    const image = await pushImage(client, "team/app", {
      layers: [lower, layerOf(platform.architecture)],
      platform,
    });
    images.push({ ...image, platform });
  }
  index = await pushManifest(client, "team/app", "v1", {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: images,
  });
  await pushImage(client, "team/deep/tool", { tag: "2.0", layers: [lower, layerOf("tool")] });
  const signature = await pushBlob(client, "team/app", "text/plain", new TextEncoder().encode("signed"));
  const empty = await pushBlob(client, "team/app", mediaTypes.ociEmpty, new TextEncoder().encode("{}"));
  await pushManifest(client, "team/app", undefined, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: "application/vnd.example.signature",
    config: empty,
    layers: [signature],
    subject: index,
  });
}, 60_000);
afterAll(() => {
  scratch.remove();
});

/** What `docker login` would have left: one login for each project. */
async function login(): Promise<void> {
  const mirror = await it.server.createRobot("mirror", `ci-${crypto.randomUUID().slice(0, 8)}`, [
    "pull",
    "push",
  ]);
  writeFileSync(
    join(it.home, "wharf.yaml"),
    [
      "version: 1",
      "logins:",
      ...[robot, mirror].flatMap(({ username }, number) => [
        `  login-${number}:`,
        `    registry: ${it.server.address}/${number === 0 ? "team" : "mirror"}`,
        `    username: ${username}`,
        `    password: { file: secret-${number} }`,
      ]),
    ].join("\n"),
  );
  for (const [number, { secret }] of [robot, mirror].entries())
    writeFileSync(join(it.home, `secret-${number}`), secret, { mode: 0o600 });
  mkdirSync(join(it.home, ".docker"));
}

interface Copied {
  readonly images: readonly {
    readonly name: string | null;
    readonly digest: string | null;
    readonly push?: {
      readonly isPresent: boolean;
      readonly sent: number;
      readonly mounted: number;
      readonly present: number;
    };
    readonly error?: { readonly code: string };
  }[];
}

async function copied(args: string, code = 0): Promise<Copied["images"]> {
  const result = await it.wharf(`copy ${args} --json`);
  expect({ code: result.code, err: result.err }).toEqual({ code, err: "" });
  return (JSON.parse(result.out) as Copied).images;
}

const at = (path: string): string => `docker://${it.server.address}/${path}`;

test("from repository to repository of one registry: mounted, and the second time one question", async () => {
  await login();
  const [first] = await copied(`${at("team/app:v1")} ${at("team/copy")} --all-platforms`);
  expect(first).toMatchObject({
    name: `${it.server.address}/team/copy:v1`,
    digest: index.digest,
    push: { isPresent: false, sent: 0, mounted: 5 },
  });
  expect((await client.headManifest(context, "team/copy", "v1"))?.digest).toBe(index.digest);
  const { code, out, err } = await it.wharf(`copy ${at("team/app:v1")} ${at("team/copy")} --all-platforms`);
  const name = `${it.server.address}/team/copy:v1`;
  expect([code, out, err]).toEqual([0, `${name}@${index.digest}\n`, `${name} is there already\n`]);
});

test("across projects with a login for each, one platform, and the secret is nowhere", async () => {
  await login();
  const [image] = await copied(`${at("team/app:v1")} ${at("mirror/one:x")} --platform linux/arm64`);
  expect(image?.name).toBe(`${it.server.address}/mirror/one:x`);
  expect(image?.digest).not.toBe(index.digest);
  const shown = it.shown.join("");
  for (const secret of [robot.secret, Buffer.from(`${robot.username}:${robot.secret}`).toString("base64")])
    expect(shown.includes(secret)).toBe(false);
});

test("an air-gap bundle: several images into one archive, and all of them out of it below a prefix", async () => {
  await login();
  const bundled = await copied(
    `${at("team/app:v1")} ${at("team/deep/tool:2.0")} oci-archive:bundle.tar --all-platforms`,
  );
  expect(bundled.map(({ name }) => name)).toEqual([
    `${it.server.address}/team/app:v1`,
    `${it.server.address}/team/deep/tool:2.0`,
  ]);
  const placed = await copied(`--all oci-archive:bundle.tar ${at("mirror/gap/")} --all-platforms --no-cache`);
  expect(placed.map(({ name }) => name)).toEqual([
    `${it.server.address}/mirror/gap/team/app:v1`,
    `${it.server.address}/mirror/gap/team/deep/tool:2.0`,
  ]);
  expect(placed[0]?.digest).toBe(index.digest);
  expect(await copied(`--all oci-archive:bundle.tar ${at("mirror/gap/")} --all-platforms`)).toEqual(
    placed.map((image) => ({
      ...image,
      push: { isPresent: true, sent: 0, mounted: 0, present: 0, sentBytes: 0, foreign: 0 },
    })),
  );
  const again = await it.wharf(`copy ${at("team/app:v1")} oci-archive:bundle.tar`);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining("is there already")]);
});

test("what refers to an image goes along into a layout and out of it, when it is asked for", async () => {
  await login();
  await copied(`${at("team/app:v1")} oci:layout:v1 --all-platforms --referrers`);
  const { manifests } = JSON.parse(readFileSync(join(it.home, "layout/index.json"), "utf8"));
  expect(manifests).toHaveLength(2);
  expect(manifests[1].artifactType).toBe("application/vnd.example.signature");
  await copied(`oci:layout:v1 ${at("mirror/signed:v1")} --all-platforms --referrers`);
  const mirror = await it.wharf(
    `copy ${at("mirror/signed:v1")} oci:back:v1 --all-platforms --referrers --json`,
  );
  expect(mirror.code).toBe(0);
  expect(JSON.parse(readFileSync(join(it.home, "back/index.json"), "utf8")).manifests).toHaveLength(2);
});

test("of several images for a registry the others are copied where one fails", async () => {
  await login();
  const images = await copied(`${at("team/none:1")} ${at("team/deep/tool:2.0")} ${at("mirror/some")}`, 3);
  expect(images.map(({ error }) => error?.code)).toEqual(["MANIFEST_UNKNOWN", undefined]);
  expect(images[1]?.name).toBe(`${it.server.address}/mirror/some/team/deep/tool:2.0`);
  expect((await it.wharf(`copy ${at("team/none:1")} ${at("mirror/some:1")}`)).code).toBe(1);
  expect((await it.wharf(`copy ${at("team/app:v1")} ${at("strange/some:1")}`)).code).toBe(4);
});

test("two images of one path below a prefix are refused before anything is sent", async () => {
  await login();
  const line = `copy docker://docker.io/team/app:v1 ${at("team/app:v1")} ${at("mirror/same/")}`;
  const { code, err } = await it.wharf(line);
  expect([code, err]).toEqual([2, expect.stringContaining("would both become mirror/same/team/app:v1")]);
});

test("a foreign layer is left out of an archive, and it is said", async () => {
  await login();
  const bytes = Bun.gzipSync(new Uint8Array(lower));
  const layer = await pushBlob(client, "team/foreign", mediaTypes.ociLayerGzip, bytes);
  const config = await pushBlob(client, "team/foreign", mediaTypes.ociConfig, new TextEncoder().encode("{}"));
  const foreign = {
    mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    digest: `sha256:${"5".repeat(64)}`,
    size: 77,
    urls: ["https://127.0.0.1:1/layer"],
  };
  await pushManifest(client, "team/foreign", "v1", {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: [layer, foreign],
  });
  const { code, err } = await it.wharf(`copy ${at("team/foreign:v1")} oci-archive:foreign.tar`);
  expect([code, err]).toEqual([
    0,
    "note: foreign layers, which their maker keeps elsewhere, were left out: 1\n",
  ]);
  const [pushed] = await copied(`${at("team/foreign:v1")} ${at("team/elsewhere:v1")}`);
  expect(pushed).toMatchObject({ foreignLayers: 1, push: { mounted: 2, foreign: 1 } });
});

test("what cannot be meant is said", async () => {
  await login();
  const usage = [
    "copy debian:12",
    `copy ${at("team/app:v1")} ${at("team/deep/tool:2.0")} ${at("mirror/x:1")}`,
    `copy ${at("team/app:v1")} ${at("team/deep/tool:2.0")} out.sif`,
    `copy ${at("team/app:v1")} oci:x --platform linux/amd64 --all-platforms`,
    `copy ${at("team/app:v1")} docker-archive:x.tar --all-platforms`,
    `copy --all ${at("team/app:v1")} oci:x`,
  ];
  for (const line of usage) expect([line, (await it.wharf(line)).code]).toEqual([line, 2]);
  expect(readdirSync(it.home).filter((name) => name.startsWith("x"))).toEqual([]);
});

needs("skopeo")("skopeo reads the bundle by an image's whole name, and docker's archive", async () => {
  await login();
  await copied(`${at("team/app:v1")} ${at("team/deep/tool:2.0")} oci-archive:two.tar --platform linux/amd64`);
  await copied(`${at("team/deep/tool:2.0")} docker-archive:one.tar`);
  const name = `${it.server.address}/team/deep/tool:2.0`;
  for (const from of [
    `oci-archive:${it.home}/two.tar:${name}`,
    `docker-archive:${it.home}/one.tar:${name}`,
  ]) {
    const config = JSON.parse(await mustRun([programPath("skopeo"), "inspect", "--config", from]));
    expect(config.rootfs.diff_ids).toHaveLength(2);
  }
  const [back] = await copied(`docker-archive:one.tar ${at("mirror/back:1")}`);
  expect(back?.push?.sent).toBe(3);
});

needs("oras")("a SIF goes to a registry as Apptainer pushes it: oras gets the same file", async () => {
  await login();
  expect((await it.wharf(`pull ${at("team/deep/tool:2.0")} tool.sif`)).code).toBe(0);
  const [pushed] = await copied(`tool.sif oras://${it.server.address}/mirror/sif:1`);
  expect(pushed?.push?.sent).toBe(2);
  const manifest = JSON.parse(Buffer.from((await readManifest("mirror/sif", "1")) ?? []).toString()) as {
    config: { mediaType: string };
    layers: { mediaType: string }[];
  };
  expect(manifest.config.mediaType).toBe("application/vnd.sylabs.sif.config.v1+json");
  expect(manifest.layers[0]?.mediaType).toBe("application/vnd.sylabs.sif.layer.v1.sif");
  const folder = join(it.home, "from-oras");
  mkdirSync(folder);
  const secret = readFileSync(join(it.home, "secret-1"), "utf8");
  const username =
    /mirror\n {4}username: (.*)/.exec(readFileSync(join(it.home, "wharf.yaml"), "utf8"))?.[1] ?? "";
  await mustRun(
    [
      programPath("oras"),
      "pull",
      "--plain-http",
      "-u",
      username,
      "--password-stdin",
      "-o",
      folder,
      `${it.server.address}/mirror/sif:1`,
    ],
    { input: secret, env: { HOME: it.home, PATH: process.env.PATH ?? "" } },
  );
  expect(readFileSync(join(folder, "tool.sif")).equals(readFileSync(join(it.home, "tool.sif")))).toBe(true);
});

async function readManifest(repository: string, tag: string): Promise<Uint8Array | undefined> {
  const username =
    /mirror\n {4}username: (.*)/.exec(readFileSync(join(it.home, "wharf.yaml"), "utf8"))?.[1] ?? "";
  const secret = new Secret(readFileSync(join(it.home, "secret-1"), "utf8"));
  const fetch = createFetch({ environment: {}, userAgent: "wharf/test" });
  const mirror = createRegistryClient({
    registry: it.server.address,
    fetch,
    credentials: { username, secret },
  });
  return (await mirror.getManifest(context, repository, tag))?.bytes;
}

test("a single file is what wharf pull writes", async () => {
  await login();
  const { code, out } = await it.wharf(`copy ${at("team/deep/tool:2.0")} tool.tar`);
  expect([code, out]).toEqual([0, "tool.tar\n"]);
  expect(await mustRun(["tar", "-xOf", join(it.home, "tool.tar"), "own"])).toBe("tool");
});
