import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError, Secret } from "#core";
import { createUploadId, parseUploadId } from "./upload-ids.ts";

const SEED = 20261122;
const key = new Secret("a key of this test");
const user = (id: number) => ({ kind: "user" as const, id, name: "x", admin: false });
const owner = { repository: "team/app", principal: user(1) };

const isRefused = (work: () => unknown): boolean => {
  try {
    work();
    return false;
  } catch (cause) {
    return isAppError(cause, "UPLOAD_UNKNOWN");
  }
};

test("an id says what it was made with", () => {
  for (const algorithm of ["sha256", "sha512"] as const) {
    const made = createUploadId(key, owner, algorithm, 1_700_000_000_000);
    expect(made).toMatchObject({ algorithm, startedAt: 1_700_000_000_000 });
    expect(parseUploadId(key, owner, made.text)).toEqual(made);
    expect(made.name).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
  }
});

test("an id is no other's: not of a repository, a user, a robot of the same number, or another key", () => {
  const { text } = createUploadId(key, owner, "sha256", 1);
  const robot = {
    kind: "robot" as const,
    id: 1,
    name: "x",
    project: "team",
    canPush: true,
    canDelete: false,
  };
  for (const [otherKey, other] of [
    [key, { ...owner, repository: "team/other" }],
    [key, { ...owner, principal: user(2) }],
    [key, { ...owner, principal: robot }],
    [new Secret("another key"), owner],
  ] as const)
    expect(isRefused(() => parseUploadId(otherKey, other, text))).toBe(true);
});

test("any change of an id, and anything else, is no id", () => {
  const { text } = createUploadId(key, owner, "sha256", 1_700_000_000_000);
  fc.assert(
    fc.property(
      fc.nat({ max: text.length - 1 }),
      fc.constantFrom("a", "b", "X", "Z", "0", "9", "-", "_", ".", "/"),
      (at, character) => {
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        // The last character of unpadded base64 holds bits that say nothing.
        fc.pre(changed !== text && at < text.length - 1);
        expect(isRefused(() => parseUploadId(key, owner, changed))).toBe(true);
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.string(), (other) => {
      expect(isRefused(() => parseUploadId(key, owner, other))).toBe(true);
    }),
    { seed: SEED },
  );
});
