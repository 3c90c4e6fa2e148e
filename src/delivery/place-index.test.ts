import { expect, test } from "bun:test";
import fc from "fast-check";
import { AppError, Secret } from "#core";
import type { DeliveredRecord } from "./contract.ts";
import { PlaceIndex } from "./place-index.ts";
import type { Prepared } from "./planning.ts";

const users = fc.constantFrom(undefined, "alice", "bob");
const files = fc.constantFrom("/a", "/b", "/c");
const keys = fc.constantFrom("k1", "k2", "k3");
const names = fc.constantFrom("", "hub", "ngc");
const programs = fc.constantFrom("docker", "podman");

const record: fc.Arbitrary<DeliveredRecord> = fc.record({
  place: fc.constant("local"),
  user: users,
  consumer: programs,
  file: files,
  key: keys,
  login: names,
  images: fc.constant("r.example"),
  mark: fc.constant(""),
  time: fc.constant(""),
});

const prepared: fc.Arbitrary<Prepared> = fc
  .record({
    user: users,
    consumer: programs,
    documents: fc.array(fc.record({ path: files, keys: fc.uniqueArray(keys) }), { maxLength: 3 }),
    untouched: fc.uniqueArray(names),
    isBroken: fc.boolean(),
  })
  .map(({ user, consumer, documents, untouched, isBroken }) => ({
    spec: { consumer, at: { kind: "local", text: "local" }, user, options: {}, logins: [] },
    opened: undefined,
    documents: documents.map(({ path, keys: wanted }) => ({
      kind: "file" as const,
      path,
      mode: 0o600,
      folderMode: 0o700,
      entries: wanted.map((key) => ({ key, login: "hub", content: new Secret("") })),
    })),
    refusals: [],
    warnings: [],
    logins: new Map(),
    untouched: new Set(untouched),
    error: isBroken ? new AppError("UNREACHABLE", "down") : undefined,
  }));

test("what is found by key is what looking through everything finds", () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 12 }), fc.array(prepared, { maxLength: 5 }), (records, all) => {
      const index = new PlaceIndex(records, all);
      for (const one of records) {
        expect(index.isTouched(one)).toBe(
          all.some(
            ({ spec, documents }) =>
              spec.user === one.user && documents.some(({ path }) => path === one.file),
          ),
        );
        expect(index.isHeld(one)).toBe(
          all.some(
            ({ spec, error, untouched }) =>
              spec.user === one.user &&
              spec.consumer === one.consumer &&
              (error !== undefined || untouched.has(one.login) || (one.login === "" && untouched.size > 0)),
          ),
        );
      }
      for (const one of all) {
        expect(index.recordsOf(one)).toEqual(
          records.filter(({ user, consumer }) => user === one.spec.user && consumer === one.spec.consumer),
        );
        for (const file of ["/a", "/b", "/c"]) {
          expect(index.recordsIn(one.spec.user, file)).toEqual(
            records.filter((found) => found.user === one.spec.user && found.file === file),
          );
          const others = all
            .filter((other) => other !== one && other.spec.user === one.spec.user)
            .flatMap(({ documents }) => documents.filter(({ path }) => path === file))
            .flatMap(({ entries }) => entries.map(({ key }) => key));
          expect([...index.keysOfOthers(one, file)].sort()).toEqual([...new Set(others)].sort());
        }
      }
    }),
    { seed: 20261122, numRuns: 300 },
  );
});
