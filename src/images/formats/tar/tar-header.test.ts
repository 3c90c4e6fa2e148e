import { expect, test } from "bun:test";
import fc from "fast-check";
import { silentLogger } from "#core";
import { createContentRecorder, memoryLayer } from "../../../../test/support/memory-layer.ts";
import { readLayer } from "../../layers/read-layer.ts";
import { renderTarHeader, TAR_BLOCK, type TarMember } from "./tar-header.ts";

const context = { signal: new AbortController().signal, log: silentLogger };

/** A component of a path: any bytes but a slash and NUL, never "." or "..", no whiteout. */
const component = fc
  .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 120 })
  .map((codes) => String.fromCharCode(...codes).replaceAll("/", "_"))
  .filter((name) => name !== "." && name !== ".." && !name.startsWith(".wh."));
const path = fc.array(component, { minLength: 1, maxLength: 5 }).map((names) => names.join("/"));
const id = fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.integer({ min: 0, max: 4_294_967_294 }));
const seconds = fc.oneof(fc.integer({ min: 0, max: 2_000_000_000 }), fc.integer({ min: -9e11, max: 9e11 }));
const xattrs = fc
  .dictionary(
    component.map((name) => `user.${name}`),
    fc.uint8Array({ maxLength: 300 }),
    { maxKeys: 3 },
  )
  .map((values) => (Object.keys(values).length === 0 ? undefined : new Map(Object.entries(values))));

const member: fc.Arbitrary<TarMember> = fc
  .record({
    path,
    type: fc.constantFrom("file", "directory", "symlink", "hardlink", "character", "block", "fifo" as const),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: id,
    gid: id,
    mtimeSeconds: seconds,
    target: path,
    major: fc.integer({ min: 0, max: 4095 }),
    minor: fc.integer({ min: 0, max: 0xfffff }),
    xattrs,
  })
  .map(({ target, major, minor, ...rest }) => ({
    ...rest,
    // Linux gives every symlink this mode.
    mode: rest.type === "symlink" ? 0o777 : rest.mode,
    sizeBytes: 0,
    linkTarget: rest.type === "symlink" || rest.type === "hardlink" ? target : "",
    device: rest.type === "character" || rest.type === "block" ? { major, minor } : undefined,
  }));

test("whatever a member is, a reader finds the same", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(member, { minLength: 1, maxLength: 6 }), async (members) => {
      const tar = Buffer.concat([...members.map(renderTarHeader), Buffer.alloc(2 * TAR_BLOCK)]);
      expect(tar.length % TAR_BLOCK).toBe(0);
      const { entries } = await readLayer(memoryLayer(tar), createContentRecorder(), context);
      expect(entries.map((entry) => ({ ...entry, xattrs: entry.xattrs ?? undefined }))).toEqual(members);
    }),
    { seed: 20_261_123, numRuns: 300 },
  );
});
