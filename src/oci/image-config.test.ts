import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { parseImageConfig } from "./image-config.ts";

const diffId = `sha256:${"a".repeat(64)}`;

function parse(value: unknown) {
  return parseImageConfig(new TextEncoder().encode(JSON.stringify(value)));
}

function code(value: unknown): string {
  try {
    parse(value);
  } catch (error) {
    if (isAppError(error)) return error.code;
    throw error;
  }
  return "taken";
}

test("a config is read whole", () => {
  const config = parse({
    created: "2026-01-01T00:00:00Z",
    architecture: "arm64",
    variant: "v8",
    os: "linux",
    config: {
      Env: ["PATH=/bin", "A="],
      Entrypoint: ["/init"],
      Cmd: [],
      WorkingDir: "/srv",
      User: "1000:1000",
      Labels: { a: "b", __proto__x: "c" },
      Volumes: { "/data": {} },
      ExposedPorts: { "80/tcp": {} },
    },
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [
      { created_by: "ADD", created: "2026-01-01T00:00:00Z" },
      { created_by: "ENV", empty_layer: true },
    ],
    other: { nobody: "knows" },
  });
  expect(config).toMatchObject({
    platform: { os: "linux", architecture: "arm64", variant: "v8" },
    created: "2026-01-01T00:00:00Z",
    env: ["PATH=/bin", "A="],
    entrypoint: ["/init"],
    command: [],
    workingDirectory: "/srv",
    user: "1000:1000",
    volumes: ["/data"],
    exposedPorts: ["80/tcp"],
  });
  expect({ ...config.labels }).toEqual({ a: "b", __proto__x: "c" });
  expect(config.diffIds.map((digest) => digest.text)).toEqual([diffId]);
  expect(config.history.map((step) => [step.createdBy, step.isEmptyLayer])).toEqual([
    ["ADD", false],
    ["ENV", true],
  ]);
});

test("an empty config has nothing, not errors; null is nothing; a text for a list of arguments is one argument", () => {
  expect(parse({})).toMatchObject({
    env: [],
    entrypoint: undefined,
    command: undefined,
    diffIds: [],
    user: "",
  });
  expect(parse({ config: null, rootfs: null, history: null, created: null }).history).toEqual([]);
  expect(parse({ config: { Env: null, Entrypoint: "/bin/sh", Cmd: null } }).entrypoint).toEqual(["/bin/sh"]);
});

test("mistakes are refused by their code", () => {
  expect(code([])).toBe("IMAGE_INVALID");
  expect(code({ config: { Env: "PATH=/" } })).toBe("IMAGE_INVALID");
  expect(code({ config: { Env: [1] } })).toBe("IMAGE_INVALID");
  expect(code({ config: { Env: ["A=b\0LD_PRELOAD=x"] } })).toBe("IMAGE_INVALID");
  expect(code({ config: { User: {} } })).toBe("IMAGE_INVALID");
  expect(code({ config: [] })).toBe("IMAGE_INVALID");
  expect(code({ rootfs: { diff_ids: ["sha256:../../etc/passwd"] } })).toBe("DIGEST_INVALID");
  expect(code({ history: Array.from({ length: 10_001 }, () => ({})) })).toBe("TOO_LARGE");
  // Two programs must not see two images in the same bytes.
  expect(code({ rootfs: { Diff_IDs: [diffId] } })).toBe("MANIFEST_INVALID");
});

test("depth and size are limited before anything is parsed", () => {
  const deep = `{"config":${"[".repeat(100)}${"]".repeat(100)}}`;
  expect(() => parseImageConfig(Buffer.from(deep))).toThrow("nested deeper");
  expect(() => parseImageConfig(Buffer.alloc(8 * 1024 * 1024 + 1, 0x20))).toThrow("larger than");
});

test("any bytes are a config or an AppError", () => {
  const some = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc
      .record(
        {
          config: fc.anything(),
          rootfs: fc.record({ diff_ids: fc.anything() }, { requiredKeys: [] }),
          history: fc.array(fc.anything()),
          os: fc.anything(),
        },
        { requiredKeys: [] },
      )
      .map((value) => new TextEncoder().encode(safeJson(value))),
  );
  fc.assert(
    fc.property(some, (bytes) => {
      try {
        const config = parseImageConfig(bytes);
        expect(config.bytes).toBe(bytes);
      } catch (error) {
        if (!isAppError(error)) throw error;
      }
    }),
    { seed: 5, numRuns: 1000 },
  );
});

function safeJson(value: unknown): string {
  return (
    JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? String(item) : item)) ?? "{}"
  );
}
