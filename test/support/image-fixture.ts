import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./run-program.ts";

/** A real image, made on the spot: three layers, and an index of two platforms around it. */
export interface ImageFixture {
  /** An OCI image layout whose tag `image` is one image and `index` the index. */
  readonly layout: string;
  /** The same image as `docker load` reads it, tagged `fixture:image`. */
  readonly dockerArchive: string;
  readonly configDigest: string;
  readonly manifestDigest: string;
  readonly indexDigest: string;
  /** Digests of the uncompressed layers, lowest first: what every program keeps. */
  readonly diffIds: readonly string[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Writes the image under `folder`, which must exist. Needs `tar`. */
export async function createImageFixture(folder: string): Promise<ImageFixture> {
  const layout = join(folder, "layout");
  const blobs = join(layout, "blobs", "sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = sha256(bytes);
    writeFileSync(join(blobs, digest.slice("sha256:".length)), bytes);
    return { mediaType, digest, size: bytes.byteLength };
  };
  const putJson = (mediaType: string, value: unknown): Descriptor =>
    put(mediaType, new TextEncoder().encode(JSON.stringify(value)));

  const tars = await Promise.all([baseLayer(folder), bigLayer(folder), topLayer(folder)]);
  const diffIds = tars.map(sha256);
  const layers = tars.map((tar) =>
    put("application/vnd.oci.image.layer.v1.tar+gzip", Bun.gzipSync(new Uint8Array(tar))),
  );
  const imageFor = (architecture: string): { config: Descriptor; manifest: Descriptor } => {
    const config = putJson("application/vnd.oci.image.config.v1+json", {
      created: "2026-01-01T00:00:00Z",
      architecture,
      os: "linux",
      config: { Env: ["PATH=/bin"], Cmd: ["/bin/hello"], Labels: { fixture: "yes" } },
      rootfs: { type: "layers", diff_ids: diffIds },
      history: layers.map((_, index) => ({
        created: "2026-01-01T00:00:00Z",
        created_by: `layer ${index}`,
      })),
    });
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    return { config, manifest: putJson(mediaType, { schemaVersion: 2, mediaType, config, layers }) };
  };
  const amd64 = imageFor("amd64");
  const arm64 = imageFor("arm64");
  const indexType = "application/vnd.oci.image.index.v1+json";
  const index = putJson(indexType, {
    schemaVersion: 2,
    mediaType: indexType,
    manifests: [
      { ...amd64.manifest, platform: { os: "linux", architecture: "amd64" } },
      { ...arm64.manifest, platform: { os: "linux", architecture: "arm64" } },
    ],
  });
  const named = (descriptor: Descriptor, name: string): unknown => ({
    ...descriptor,
    annotations: { "org.opencontainers.image.ref.name": name },
  });
  writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(layout, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [named(amd64.manifest, "image"), named(index, "index")] }),
  );
  return {
    layout,
    dockerArchive: await dockerArchive(
      folder,
      tars,
      await Bun.file(join(blobs, hex(amd64.config.digest))).bytes(),
    ),
    configDigest: amd64.config.digest,
    manifestDigest: amd64.manifest.digest,
    indexDigest: index.digest,
    diffIds,
  };
}

/** Files, a link, a long name, a name that is not ASCII. */
async function baseLayer(folder: string): Promise<Uint8Array> {
  const root = join(folder, "layer-0");
  const deep = join(root, "usr", "share", "a".repeat(90), "b".repeat(90));
  mkdirSync(deep, { recursive: true });
  mkdirSync(join(root, "bin"));
  writeFileSync(join(root, "bin", "hello"), "#!/bin/sh\necho hello\n", { mode: 0o755 });
  symlinkSync("hello", join(root, "bin", "hi"));
  writeFileSync(join(deep, "grün"), `${crypto.randomUUID()}\n`);
  writeFileSync(join(root, "empty"), "");
  return tarOf(root);
}

/** Bytes that do not compress, more than one upload chunk of most programs. */
async function bigLayer(folder: string): Promise<Uint8Array> {
  const root = join(folder, "layer-1");
  mkdirSync(root);
  for (const name of ["one", "two", "three"]) {
    const bytes = new Uint8Array(2 * 1024 * 1024 + 7);
    for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    writeFileSync(join(root, name), bytes);
  }
  return tarOf(root);
}

/** Removes a file of the base (a whiteout) and replaces another. */
async function topLayer(folder: string): Promise<Uint8Array> {
  const root = join(folder, "layer-2");
  mkdirSync(join(root, "bin"), { recursive: true });
  writeFileSync(join(root, ".wh.empty"), "");
  writeFileSync(join(root, "bin", "hello"), "#!/bin/sh\necho hello again\n", { mode: 0o755 });
  return tarOf(root);
}

async function tarOf(root: string): Promise<Uint8Array> {
  const path = `${root}.tar`;
  await mustRun(["tar", "--sort=name", "--owner=0", "--group=0", "--mtime=@0", "-cf", path, "-C", root, "."]);
  return Bun.file(path).bytes();
}

async function dockerArchive(
  folder: string,
  tars: readonly Uint8Array[],
  config: Uint8Array,
): Promise<string> {
  const root = join(folder, "docker-archive");
  mkdirSync(root);
  const configName = `${hex(sha256(config))}.json`;
  writeFileSync(join(root, configName), config);
  const layerNames = tars.map((tar, index) => {
    writeFileSync(join(root, `layer-${index}.tar`), tar);
    return `layer-${index}.tar`;
  });
  writeFileSync(
    join(root, "manifest.json"),
    JSON.stringify([{ Config: configName, RepoTags: ["fixture:image"], Layers: layerNames }]),
  );
  const path = join(folder, "docker-archive.tar");
  await mustRun(["tar", "-cf", path, "-C", root, "manifest.json", configName, ...layerNames]);
  return path;
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
}

function hex(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1);
}
