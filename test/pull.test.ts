/** `wharf pull` from our own registry: the login that is here, the file, the second time, what is refused. */
import { beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRegistryClient, type RegistryClient } from "#client";
import { Secret } from "#core";
import { mediaTypes } from "#oci";
import { createFetch } from "#system";
import { needs, programPath } from "./support/programs.ts";
import { pushBlob, pushImage, pushManifest } from "./support/push-image.ts";
import { mustRun } from "./support/run-program.ts";
import { renderTarItems } from "./support/tar-writer.ts";
import type { TestLogin } from "./support/test-server.ts";
import { useWharfHome } from "./support/use-wharf-home.ts";

const it = useWharfHome("pull");
let robot: TestLogin;
let client: RegistryClient;

const lower = renderTarItems([
  { path: "etc/", mode: 0o755 },
  { path: "etc/name", content: "lower" },
  { path: "gone", content: "x" },
]);
const upper = renderTarItems([
  { path: "etc/name", content: "upper" },
  { path: ".wh.gone" },
  { path: "big", content: new Uint8Array(300_000).fill(7) },
]);

beforeAll(async () => {
  robot = await it.server.createRobot("team", "ci", ["pull", "push"]);
  client = createRegistryClient({
    registry: it.server.address,
    fetch: createFetch({ environment: {}, userAgent: "wharf/test" }),
    credentials: { username: robot.username, secret: new Secret(robot.secret) },
  });
  await pushImage(client, "team/app", { tag: "v1", layers: [lower, upper] });
}, 60_000);

/** What `docker login` would have left. */
function loginDocker(): void {
  const auth = Buffer.from(`${robot.username}:${robot.secret}`).toString("base64");
  mkdirSync(join(it.home, ".docker"));
  const auths = { [it.server.address]: { auth } };
  writeFileSync(join(it.home, ".docker", "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
}

/** What the server was asked while `work` ran: method and path. */
async function requestsDuring(work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = it.server.logLines.length;
  await work();
  return it.server.logLines
    .slice(before)
    .map((line) => JSON.parse(line) as { method?: string; path?: string })
    .filter(({ path }) => path !== undefined)
    .map(({ method, path }) => `${method} ${path}`);
}

needs("unsquashfs")("with the login that docker has, as a squashfs named after the image", async () => {
  loginDocker();
  const { code, out, err } = await it.wharf(
    `pull docker://${it.server.address}/team/app:v1 --format squashfs`,
  );
  expect([code, out, err]).toEqual([0, "app_v1.squashfs\n", ""]);
  const file = join(it.home, "app_v1.squashfs");
  const shown = await mustRun([programPath("unsquashfs"), "-cat", file, "etc/name"]);
  expect(shown).toBe("upper");
  const list = await mustRun([programPath("unsquashfs"), "-ls", file]);
  expect(list).not.toContain("gone");
  expect(readdirSync(it.home).sort()).toEqual([".cache", ".docker", "app_v1.squashfs"]);
});

test("the second time asks one question and gives the same bytes", async () => {
  loginDocker();
  const image = `${it.server.address}/team/app:v1`;
  await it.wharf(`pull ${image} one.squashfs`);
  const requests = await requestsDuring(async () => {
    const { code, out } = await it.wharf(`pull ${image} two.squashfs --json`);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ out: "two.squashfs", format: "squashfs", networkBytes: 0 });
    expect(["clone", "link"]).toContain((JSON.parse(out) as { how: string }).how);
  });
  expect(requests.filter((request) => request.includes("/team/"))).toEqual([
    "HEAD /v2/team/app/manifests/v1",
  ]);
  expect(readFileSync(join(it.home, "two.squashfs"))).toEqual(readFileSync(join(it.home, "one.squashfs")));

  // Whoever changes a result, in whatever way, gets no other pull to take it.
  const before = readFileSync(join(it.home, "one.squashfs"));
  writeFileSync(join(it.home, "one.squashfs"), "changed", { flag: "a" });
  const again = await it.wharf(`pull ${image} three.squashfs --json`);
  expect(JSON.parse(again.out)).toMatchObject({ how: "made", networkBytes: 0 });
  expect(readFileSync(join(it.home, "three.squashfs"))).toEqual(before);
});

test("other choices are another result; what is there is not replaced unasked", async () => {
  loginDocker();
  const image = `${it.server.address}/team/app:v1`;
  await it.wharf(`pull ${image} a.squashfs`);
  const refused = await it.wharf(`pull ${image} a.squashfs --compress gzip`);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain("is there already");
  const sizeBefore = statSync(join(it.home, "a.squashfs")).size;
  const forced = await it.wharf(`pull ${image} a.squashfs --compress none --force`);
  expect(forced.code).toBe(0);
  expect(statSync(join(it.home, "a.squashfs")).size).toBeGreaterThan(sizeBefore);
});

test("without a login, and for a platform that it is not for, nothing is left", async () => {
  const image = `${it.server.address}/team/app:v1`;
  const anonymous = await it.wharf(`pull ${image} a.squashfs`);
  expect(anonymous.code).toBe(4);
  loginDocker();
  const other = await it.wharf(`pull ${image} a.squashfs --platform linux/s390x`);
  expect(other.code).toBe(1);
  expect(other.err).toContain("it has linux/amd64");
  expect(readdirSync(it.home).sort()).toEqual([".cache", ".docker"]);
});

test("--no-cache keeps nothing", async () => {
  loginDocker();
  const { code } = await it.wharf(`pull ${it.server.address}/team/app:v1 a.squashfs --no-cache`);
  expect(code).toBe(0);
  expect(readdirSync(it.home).sort()).toEqual([".docker", "a.squashfs"]);
});

test.each(["a.sif", "a.sqsh", "a.tar", "oci:layout", "oci-archive:a.tar", "docker-archive:a.tar"])(
  "as %s, twice the same",
  async (out) => {
    loginDocker();
    const image = `${it.server.address}/team/app:v1`;
    expect(await it.wharf(`pull ${image} ${out}`)).toMatchObject({ code: 0, err: "" });
    const path = out.slice(out.indexOf(":") + 1);
    const name = out.startsWith("oci:") ? join(path, "index.json") : path;
    const before = readFileSync(join(it.home, name), "latin1");
    expect(await it.wharf(`pull ${image} ${out} --force --no-cache`)).toMatchObject({ code: 0, err: "" });
    const after = readFileSync(join(it.home, name), "latin1");
    // The second pull adds to the layout, which may write its keys in another order.
    if (out.startsWith("oci:")) expect(JSON.parse(after)).toEqual(JSON.parse(before));
    else expect(after).toBe(before);
    if (!out.includes(":")) return;
    // What was written is a source as well.
    const again = await it.wharf(`pull ${out}:${image} back.squashfs`);
    expect(again).toMatchObject({ code: 0, err: "" });
  },
);

test("as a folder, which is not replaced", async () => {
  loginDocker();
  const image = `${it.server.address}/team/app:v1`;
  expect(await it.wharf(`pull ${image} tree --format rootfs`)).toMatchObject({ code: 0 });
  expect(readFileSync(join(it.home, "tree", "etc", "name"), "utf8")).toBe("upper");
  expect(await it.wharf(`pull ${image} tree --format rootfs --force`)).toMatchObject({ code: 1 });
  const refused = await it.wharf(`pull ${image} other --format rootfs --level 3`);
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("neither --compress nor --level")]);
});

test("a SIF that lies in the registry comes as it is, by oras:// and by docker://", async () => {
  const file = crypto.getRandomValues(new Uint8Array(50_000));
  const config = await pushBlob(
    client,
    "team/sif",
    "application/vnd.sylabs.sif.config.v1+json",
    new Uint8Array([123, 125]),
  );
  const layer = await pushBlob(client, "team/sif", "application/vnd.sylabs.sif.layer.v1.sif", file);
  await pushManifest(client, "team/sif", "1", {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: [layer],
  });
  loginDocker();
  for (const scheme of ["oras", "docker"]) {
    const pulled = await it.wharf(`pull ${scheme}://${it.server.address}/team/sif:1 ${scheme}.sif`);
    expect(pulled).toMatchObject({ code: 0, err: "" });
    expect(readFileSync(join(it.home, `${scheme}.sif`)).equals(file)).toBe(true);
    expect(statSync(join(it.home, `${scheme}.sif`)).mode & 0o777).toBe(0o755);
  }
  const other = await it.wharf(`pull oras://${it.server.address}/team/sif:1 a.sqsh`);
  expect([other.code, other.err]).toEqual([2, expect.stringContaining("end OUT in .sif")]);
  const image = await it.wharf(`pull oras://${it.server.address}/team/app:v1 a.sif`);
  expect([image.code, image.err]).toEqual([1, expect.stringContaining("write it with docker://")]);
});

test("a blob that went bad in the cache is found out and removed, and the next pull is right", async () => {
  loginDocker();
  const image = `${it.server.address}/team/app:v1`;
  await it.wharf(`pull ${image} a.tar`);
  const blobs = join(it.home, ".cache", "wharf", "images", "blobs", "sha256");
  for (const name of readdirSync(blobs)) {
    const bytes = readFileSync(join(blobs, name));
    // The layers are gzip.
    if (bytes[0] !== 0x1f) continue;
    bytes[bytes.length - 6] = (bytes[bytes.length - 6] ?? 0) ^ 0xff;
    writeFileSync(join(blobs, name), bytes);
  }
  // One by one: the layer that is read first tells of itself, and of all that were begun.
  const failed = await it.wharf(`pull ${image} b.squashfs`);
  expect([failed.code, failed.err]).toEqual([1, expect.stringContaining("was removed: try again")]);
  expect(existsSync(join(it.home, "b.squashfs"))).toBe(false);
  expect(await it.wharf(`pull ${image} b.squashfs`)).toMatchObject({ code: 0, err: "" });
});
