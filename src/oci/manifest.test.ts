import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "#core";
import { digestOf } from "./digest.ts";
import { jsonDepth } from "./json-depth.ts";
import { defaultManifestLimits, parseManifest, referrerArtifactType } from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const descriptor = (text: string, mediaType: string = mediaTypes.ociLayerGzip, extra: object = {}) => ({
  mediaType,
  digest: digestOf(text),
  size: text.length,
  ...extra,
});
const image = (extra: object = {}) => ({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: descriptor("{}", mediaTypes.ociConfig),
  layers: [descriptor("one"), descriptor("two")],
  ...extra,
});
const index = (extra: object = {}) => ({
  schemaVersion: 2,
  mediaType: mediaTypes.ociIndex,
  manifests: [
    descriptor("m", mediaTypes.ociManifest, {
      platform: { os: "linux", architecture: "arm64", variant: "v8" },
    }),
  ],
  ...extra,
});

test("an image manifest names its config and layers", () => {
  const manifest = parseManifest(bytesOf(image()), `${mediaTypes.ociManifest}; charset=utf-8`);
  expect(manifest.kind).toBe("image");
  expect(manifest.mediaType).toBe(mediaTypes.ociManifest);
  expect(manifest.references.blobs.map((blob) => [blob.digest, blob.sizeBytes, blob.required])).toEqual([
    [digestOf("{}"), 2, true],
    [digestOf("one"), 3, true],
    [digestOf("two"), 3, true],
  ]);
  expect(manifest.references.manifests).toEqual([]);
  expect(referrerArtifactType(manifest)).toBe(mediaTypes.ociConfig);
});

test("an index names its manifests, with platforms", () => {
  const manifest = parseManifest(bytesOf(index()));
  expect(manifest.kind).toBe("index");
  expect(manifest.manifests[0]?.platform).toEqual({ os: "linux", architecture: "arm64", variant: "v8" });
  expect(manifest.references.manifests.map((entry) => entry.digest)).toEqual([digestOf("m")]);
});

test("Docker's schema 2 and list read as the OCI ones do", () => {
  const two = parseManifest(
    bytesOf(image({ mediaType: mediaTypes.dockerManifest })),
    mediaTypes.dockerManifest,
  );
  expect([two.kind, two.layers.length]).toEqual(["image", 2]);
  expect(parseManifest(bytesOf(index({ mediaType: mediaTypes.dockerList }))).kind).toBe("index");
});

test("without a mediaType in the body the header decides, without both the shape", () => {
  expect(parseManifest(bytesOf(image({ mediaType: undefined })), mediaTypes.dockerManifest).mediaType).toBe(
    mediaTypes.dockerManifest,
  );
  expect(parseManifest(bytesOf(image({ mediaType: undefined }))).mediaType).toBe(mediaTypes.ociManifest);
  expect(parseManifest(bytesOf(index({ mediaType: undefined }))).mediaType).toBe(mediaTypes.ociIndex);
});

test("a subject is not among the references, and an artifact type is kept", () => {
  const manifest = parseManifest(
    bytesOf(image({ subject: descriptor("s", mediaTypes.ociManifest), artifactType: "application/x.sbom" })),
  );
  expect(manifest.subject?.digest).toBe(digestOf("s"));
  expect(manifest.references.manifests).toEqual([]);
  expect(referrerArtifactType(manifest)).toBe("application/x.sbom");
});

test("layers that are had elsewhere need not be held", () => {
  const foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
  const manifest = parseManifest(
    bytesOf(
      image({
        layers: [
          descriptor("a", foreign),
          descriptor("b", mediaTypes.ociLayer, { urls: ["https://example.org/b"] }),
          descriptor("c"),
        ],
      }),
    ),
  );
  expect(manifest.references.blobs.map((blob) => blob.required)).toEqual([true, false, false, true]);
});

test("an OCI artifact manifest keeps its blobs", () => {
  const manifest = parseManifest(
    bytesOf({ mediaType: mediaTypes.ociArtifact, artifactType: "x/y", blobs: [descriptor("b")] }),
  );
  expect(manifest.references.blobs.map((blob) => blob.digest)).toEqual([digestOf("b")]);
});

test("a media type that nobody knows is accepted, by its shape", () => {
  const type = "application/vnd.example.thing+json";
  expect(parseManifest(bytesOf({ hello: "world" }), type)).toMatchObject({ kind: "other", mediaType: type });
  const shaped = parseManifest(bytesOf(image({ mediaType: type })), type);
  expect([shaped.kind, shaped.references.blobs.length]).toEqual(["image", 3]);
});

test("Go's null lists are empty lists", () => {
  expect(parseManifest(bytesOf(index({ manifests: null }))).manifests).toEqual([]);
  expect(parseManifest(bytesOf(image({ layers: null, annotations: null, subject: null }))).layers).toEqual(
    [],
  );
});

describe("refuses", () => {
  const cases: Record<string, [unknown, string?]> = {
    "a body of another media type than the header (GHSA-qq97-vm5h-rrhg)": [image(), mediaTypes.ociIndex],
    "manifests and layers in one (GHSA-qq97-vm5h-rrhg)": [image({ manifests: [] })],
    "an image type with manifests": [{ ...index(), mediaType: mediaTypes.ociManifest }],
    "an index type with layers": [{ ...image(), mediaType: mediaTypes.ociIndex }],
    "both in an unknown type": [{ mediaType: "x/y", schemaVersion: 2, layers: [], manifests: [] }],
    "keys that Go folds together": [image({ Layers: [] })],
    "keys that Go folds together by Unicode's long s": [image({ "layer\u017f": [] })],
    "keys of a descriptor that Go folds together": [
      image({ layers: [{ ...descriptor("x"), Digest: descriptor("y").digest }] }),
    ],
    "schemaVersion 1": [{ schemaVersion: 1, name: "x" }, mediaTypes.dockerSchema1],
    "a missing schemaVersion": [image({ schemaVersion: undefined })],
    "an image without config": [image({ config: undefined })],
    "layers that are no list": [image({ layers: {} })],
    "a descriptor that is none": [image({ layers: ["x"] })],
    "a broken digest": [image({ layers: [{ ...descriptor("x"), digest: "sha256:../../etc" }] })],
    "a negative size": [image({ layers: [{ ...descriptor("x"), size: -1 }] })],
    "a size that is not whole": [image({ layers: [{ ...descriptor("x"), size: 1.5 }] })],
    "a size past 2^53": [image({ layers: [{ ...descriptor("x"), size: 2 ** 53 }] })],
    "two sizes of one digest": [image({ layers: [descriptor("x"), { ...descriptor("x"), size: 9 }] })],
    "annotations that are not text": [image({ annotations: { a: 1 } })],
    "a list as the whole": [[]],
    "nothing that tells its type": [{ schemaVersion: 2 }],
  };
  for (const [name, [body, contentType]] of Object.entries(cases)) {
    test(name, () => {
      expect(() => parseManifest(bytesOf(body), contentType)).toThrow(AppError);
    });
  }

  test("broken UTF-8, a byte order mark, and what is no JSON", () => {
    for (const bytes of [[0x22, 0xff, 0x22], [0xef, 0xbb, 0xbf, 0x7b, 0x7d], [0x7b]]) {
      expect(() => parseManifest(Uint8Array.from(bytes), "x/y")).toThrow("not JSON in UTF-8");
    }
  });

  test("what is too large, too deep, too many", () => {
    const limits = { ...defaultManifestLimits, maxBytes: 2000, maxDescriptors: 1 };
    expect(() => parseManifest(bytesOf(image()), null, limits)).toThrow("more than 1 entries");
    expect(() => parseManifest(new Uint8Array(2001), null, limits)).toThrow("larger than");
    const deep = new TextEncoder().encode("[".repeat(100_000));
    expect(() => parseManifest(deep, "x/y")).toThrow("nested deeper");
  });
});

test("an annotation named __proto__ is only data", () => {
  const text = JSON.stringify(image()).replace(/}$/, ',"annotations":{"__proto__":"x"}}');
  const manifest = parseManifest(new TextEncoder().encode(text));
  expect(Object.keys(manifest.annotations)).toEqual(["__proto__"]);
});

test("depth is what a recursive count finds", () => {
  const depthOf = (value: unknown): number =>
    typeof value === "object" && value !== null
      ? 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner)))
      : 0;
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(jsonDepth(bytesOf(value))).toBe(depthOf(value));
    }),
    { seed: 3 },
  );
});

test("any JSON, and any change to a good manifest, is a manifest or an AppError", () => {
  const keys = fc.constantFrom("config", "layers", "manifests", "subject", "annotations", "mediaType");
  fc.assert(
    fc.property(keys, fc.jsonValue(), fc.boolean(), (key, value, ofIndex) => {
      const body = { ...(ofIndex ? index() : image()), [key]: value };
      try {
        expect(parseManifest(bytesOf(body)).references).toBeDefined();
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
    }),
    { seed: 3, numRuns: 1000 },
  );
});
