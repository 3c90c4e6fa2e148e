import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { parseElf } from "./executable.ts";

/** A 64-bit little-endian ELF header with one program header behind it and the loader's name behind that. */
function elf(machine: number, loader: string | undefined): Buffer {
  const head = Buffer.alloc(64 + 56 + 64);
  head.write("\x7fELF", "latin1");
  head.set([2, 1], 4);
  head.writeUInt16LE(3, 16);
  head.writeUInt16LE(machine, 18);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(loader === undefined ? 1 : 3, 64);
  head.writeBigUInt64LE(120n, 64 + 8);
  head.writeBigUInt64LE(BigInt((loader ?? "").length + 1), 64 + 32);
  head.write(loader ?? "", 120);
  return head;
}

test("machine and loader of an executable, from its first bytes", () => {
  expect(parseElf(elf(62, "/lib64/ld-linux-x86-64.so.2"), "wharf")).toEqual({
    machine: "x86_64",
    loader: "/lib64/ld-linux-x86-64.so.2",
  });
  expect(parseElf(elf(183, "/lib/ld-musl-aarch64.so.1"), "wharf")).toEqual({
    machine: "aarch64",
    loader: "/lib/ld-musl-aarch64.so.1",
  });
  expect(parseElf(elf(62, undefined), "wharf").loader).toBeUndefined();
});

test("what no host could start is refused in words", () => {
  expect(() => parseElf(Buffer.from("#!/bin/sh\n"), "wharf")).toThrow("it is no program of Linux");
  expect(() => parseElf(elf(243, undefined), "wharf")).toThrow("another kind of machine");
  expect(() => parseElf(elf(62, "/lib/$(id)"), "wharf")).toThrow("its loader cannot be read");
});

test("any bytes are read or refused, and a loader that is read is a plain path", () => {
  const whole = elf(62, "/lib64/ld-linux-x86-64.so.2");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 12 }),
      fc.nat(whole.length),
      (changes, length) => {
        const bytes = Buffer.from(whole.subarray(0, length));
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        try {
          expect(parseElf(bytes, "wharf").loader ?? "/x").toMatch(/^\/[A-Za-z0-9._/+-]+$/);
        } catch (cause) {
          expect(isAppError(cause, "INVALID_INPUT")).toBe(true);
        }
      },
    ),
    { seed: 4, numRuns: 2000 },
  );
});
