/** Images out of layouts and archives as other programs write them, and out of hostile ones. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { isAppError, silentLogger } from "#core";
import {
  type CacheFolder,
  openCacheFolder,
  openSource,
  openView,
  parsePlatform,
  parseSource,
  readLayer,
  type SourceSurroundings,
} from "#images";
import { digestOf } from "#oci";
import { createFetch } from "#system";
import { createImageFixture, type ImageFixture } from "./support/image-fixture.ts";
import { mustRun } from "./support/run-program.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { renderTarItems, tarEntry } from "./support/tar-writer.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const fetch = createFetch({ environment: {}, userAgent: "wharf/test" });
let scratch: Scratch;
let image: ImageFixture;
let cache: CacheFolder;
let archive = "";

beforeAll(async () => {
  scratch = createScratch("files");
  image = await createImageFixture(scratch.path);
  cache = await openCacheFolder(scratch.at("cache"));
  archive = scratch.at("layout.tar");
  await mustRun(["tar", "-cf", archive, "-C", image.layout, "."]);
}, 60_000);
afterAll(() => scratch.remove());

const around = (dockerHost?: string): SourceSurroundings => ({
  cache,
  openRegistry: () => Promise.reject(new Error("no registry is asked")),
  fetchUrl: () => Promise.reject(new Error("no address is asked")),
  daemon: { dockerHost, fetch },
});

interface Found {
  readonly manifest: string;
  readonly config: string;
  readonly architecture: string;
  readonly files: readonly string[];
}

/** Opens it and reads every layer, against its digest and its diff ID. */
async function readImage(text: string, platform = "amd64", dockerHost?: string): Promise<Found> {
  const content = await openSource(context, parseSource(text), around(dockerHost));
  try {
    const view = await openView(context, content, { platform: parsePlatform(platform), isAsked: true });
    const files: string[] = [];
    for (const layer of view.layers) {
      const visitor = { entry: () => "read" as const, content: () => undefined };
      files.push(...(await readLayer(layer, visitor, context)).entries.map(({ path }) => path));
    }
    await content.settle();
    return {
      manifest: view.manifest.descriptor.digest,
      config: view.config.digest,
      architecture: view.config.platform.architecture,
      files,
    };
  } finally {
    await content.close();
  }
}

describe("a layout", () => {
  test("gives the image of a tag or a digest, and the platform of an index", async () => {
    const found = await readImage(`oci:${image.layout}:image`);
    expect(found.manifest).toBe(image.manifestDigest);
    expect(found.files).toContain("bin/hello");
    expect(await readImage(`oci:${image.layout}@${image.manifestDigest}`)).toEqual(found);
    expect(await readImage(`oci:${image.layout}:index`)).toEqual(found);
    expect((await readImage(`oci:${image.layout}:index`, "arm64")).architecture).toBe("arm64");
  });

  test("as an archive gives the same, compressed as a whole too, and leaves nothing", async () => {
    const found = await readImage(`oci:${image.layout}:image`);
    expect(await readImage(`oci-archive:${archive}:image`)).toEqual(found);
    writeFileSync(`${archive}.gz`, Bun.gzipSync(readFileSync(archive)));
    expect(await readImage(`oci-archive:${archive}.gz:image`)).toEqual(found);
    expect(readdirSync(cache.partial)).toEqual([]);
  });

  test("of several images wants a name, and says which there are", async () => {
    await expect(readImage(`oci:${image.layout}`)).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("image, index"),
    });
    await expect(readImage(`oci:${image.layout}:none`)).rejects.toMatchObject({ code: "MANIFEST_UNKNOWN" });
    await expect(readImage("oci:nowhere")).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(readImage("oci-archive:nowhere.tar")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("with a damaged or a missing blob is refused", async () => {
    const copy = scratch.at("damaged");
    cpSync(image.layout, copy, { recursive: true });
    const blobs = join(copy, "blobs", "sha256");
    const manifest = JSON.parse(readFileSync(join(blobs, image.manifestDigest.slice(7)), "utf8")) as {
      readonly layers: readonly { readonly digest: string; readonly size: number }[];
    };
    const layer = manifest.layers[1];
    if (layer === undefined) throw new Error("the fixture has three layers");
    const path = join(blobs, layer.digest.slice(7));
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
    writeFileSync(path, bytes);
    await expect(readImage(`oci:${copy}:image`)).rejects.toThrow();
    truncateSync(path, 100);
    await expect(readImage(`oci:${copy}:image`)).rejects.toMatchObject({ code: "SIZE_INVALID" });
    renameSync(path, `${path}.away`);
    await expect(readImage(`oci:${copy}:image`)).rejects.toMatchObject({ code: "BLOB_UNKNOWN" });
    writeFileSync(join(blobs, image.manifestDigest.slice(7)), JSON.stringify({ schemaVersion: 2 }));
    await expect(readImage(`oci:${copy}:image`)).rejects.toThrow();
  });
});

describe("what docker save wrote", () => {
  test("gives the image, by any spelling of its name", async () => {
    const found = await readImage(`docker-archive:${image.dockerArchive}`);
    expect(found.config).toBe(image.configDigest);
    for (const name of ["fixture:image", "docker.io/library/fixture:image"])
      expect(await readImage(`docker-archive:${image.dockerArchive}:${name}`)).toEqual(found);
    await expect(readImage(`docker-archive:${image.dockerArchive}:other`)).rejects.toMatchObject({
      code: "MANIFEST_UNKNOWN",
      hint: "there is fixture:image",
    });
    await expect(readImage(`docker-archive:${archive}`)).rejects.toMatchObject({
      hint: "it is an OCI layout: write oci-archive:",
    });
  });

  test("with layers that are links, as older versions wrote them, and names by PAX and GNU", async () => {
    const tar = renderTarItems([{ path: "file", content: "hello" }]);
    const config = JSON.stringify({
      os: "linux",
      architecture: "amd64",
      rootfs: { type: "layers", diff_ids: [digestOf(tar), digestOf(tar)] },
    });
    const long = `${"d".repeat(120)}/layer.tar`;
    const saved = [{ Config: "c.json", RepoTags: null, Layers: [long, "two/layer.tar"] }];
    const path = scratch.at("links.tar");
    writeFileSync(
      path,
      renderTarItems([
        { path: "./manifest.json", content: JSON.stringify(saved) },
        { path: "c.json", content: config },
        { path: long, content: tar },
        { path: "two/layer.tar", type: "2", linkTarget: `../${long}` },
      ]),
    );
    expect((await readImage(`docker-archive:${path}`)).files).toEqual(["file", "file"]);
  });

  test("that lies about itself is refused: layers, sizes, links in a ring, an early end", async () => {
    const write = (name: string, items: Parameters<typeof renderTarItems>[0]): string => {
      const path = scratch.at(name);
      writeFileSync(path, renderTarItems(items));
      return `docker-archive:${path}`;
    };
    const config = '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}';
    const manifest = (layers: readonly string[]): string =>
      JSON.stringify([{ Config: "c.json", RepoTags: [], Layers: layers }]);
    const refused = async (text: string): Promise<void> => {
      const failure: unknown = await readImage(text).catch((cause: unknown) => cause);
      expect(isAppError(failure)).toBe(true);
    };
    await refused(
      write("a.tar", [
        { path: "manifest.json", content: manifest(["x"]) },
        { path: "c.json", content: config },
      ]),
    );
    await refused(write("b.tar", [{ path: "manifest.json", content: manifest(["../../../etc/passwd"]) }]));
    await refused(write("c.tar", [{ path: "manifest.json", type: "2", linkTarget: "manifest.json" }]));
    await refused(write("d.tar", [{ path: "manifest.json", content: "[".repeat(100) }]));
    await refused(write("e.tar", [{ path: "manifest.json", size: 10_000, content: "x" }]));
  });
});

test("a docker daemon's image comes by its socket, as the archive that it saves", async () => {
  const socket = scratch.at("d.sock");
  const asked: string[] = [];
  const daemon = Bun.serve({
    unix: socket,
    fetch(request) {
      asked.push(decodeURIComponent(new URL(request.url).pathname));
      if (!asked.at(-1)?.includes("fixture"))
        return Response.json({ message: "No such image" }, { status: 404 });
      return new Response(Bun.file(image.dockerArchive));
    },
  });
  try {
    const found = await readImage("docker-daemon:fixture:image", "amd64", `unix://${socket}`);
    expect(found.config).toBe(image.configDigest);
    expect(asked).toEqual(["/images/docker.io/library/fixture:image/get"]);
    await expect(readImage("docker-daemon:none", "amd64", `unix://${socket}`)).rejects.toMatchObject({
      code: "MANIFEST_UNKNOWN",
    });
    expect(readdirSync(cache.partial)).toEqual([]);
  } finally {
    await daemon.stop(true);
  }
  await expect(readImage("docker-daemon:x", "amd64", `unix://${scratch.at("none")}`)).rejects.toMatchObject({
    code: "UNREACHABLE",
  });
  await expect(readImage("docker-daemon:x", "amd64", "ssh://host")).rejects.toMatchObject({
    code: "UNSUPPORTED",
  });
});

test("random bytes as an archive are an AppError, in a bounded time", async () => {
  const path = scratch.at("random.tar");
  const header = tarEntry({ path: "manifest.json", content: "[]" });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.nat(1100), async (noise, at) => {
      const bytes = Buffer.concat([header, Buffer.alloc(1024)]);
      bytes.set(noise.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
      writeFileSync(path, bytes);
      const failure: unknown = await readImage(`docker-archive:${path}`).catch((cause: unknown) => cause);
      expect(isAppError(failure)).toBe(true);
    }),
    { seed: 11, numRuns: 150 },
  );
});
