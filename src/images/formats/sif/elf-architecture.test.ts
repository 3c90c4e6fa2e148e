import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { elfArchitecture } from "./elf-architecture.ts";

function head(word: 1 | 2, order: 1 | 2, type: number, machine: number): Uint8Array {
  const bytes = Buffer.alloc(64);
  bytes.write("\x7fELF", "latin1");
  bytes[4] = word;
  bytes[5] = order;
  if (order === 1) bytes.writeUInt16LE(type, 16);
  else bytes.writeUInt16BE(type, 16);
  if (order === 1) bytes.writeUInt16LE(machine, 18);
  else bytes.writeUInt16BE(machine, 18);
  return bytes;
}

test("a program says which machine it is for", () => {
  expect(elfArchitecture(head(2, 1, 3, 62))).toBe("amd64");
  expect(elfArchitecture(head(2, 1, 2, 183))).toBe("arm64");
  expect(elfArchitecture(head(2, 1, 3, 21))).toBe("ppc64le");
  expect(elfArchitecture(head(2, 2, 3, 21))).toBe("ppc64");
  expect(elfArchitecture(head(2, 2, 3, 22))).toBe("s390x");
  expect(elfArchitecture(head(1, 1, 3, 3))).toBe("386");
  expect(elfArchitecture(head(1, 2, 3, 8))).toBe("mips");
  expect(elfArchitecture(head(2, 1, 3, 8))).toBe("mips64le");
});

test("an object file, an x32 program, another machine and other bytes say nothing", () => {
  expect(elfArchitecture(head(2, 1, 1, 62))).toBeUndefined();
  expect(elfArchitecture(head(1, 1, 3, 62))).toBeUndefined();
  expect(elfArchitecture(head(2, 1, 3, 9999))).toBeUndefined();
  expect(elfArchitecture(head(2, 1, 3, 62).subarray(0, 19))).toBeUndefined();
  expect(elfArchitecture(Buffer.from("#!/bin/sh\n".padEnd(64)))).toBeUndefined();
});

test("this machine's own runtime is known, and no bytes are a fault", () => {
  const own = { x64: "amd64", arm64: "arm64" }[process.arch as string];
  expect(elfArchitecture(readFileSync(process.execPath).subarray(0, 64))).toBe(own as never);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      elfArchitecture(bytes);
    }),
    { seed: 5 },
  );
});
