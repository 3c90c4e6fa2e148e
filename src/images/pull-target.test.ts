import { expect, test } from "bun:test";
import type { FormatName } from "./formats/contract.ts";
import { parseTarget } from "./pull-target.ts";
import { parseSource } from "./sources/parse-source.ts";

const pytorch = parseSource("docker://nvcr.io/nvidia/pytorch:24.01-py3");

test.each([
  ["a.sif", "sif", "a.sif"],
  ["dir/A.SIF", "sif", "dir/A.SIF"],
  ["a.sqsh", "sqsh", "a.sqsh"],
  ["a.sfs", "squashfs", "a.sfs"],
  ["a.tar", "tar", "a.tar"],
  ["oci:layout", "oci", "layout"],
  ["oci-archive:a.tar", "oci-archive", "a.tar"],
  ["docker-archive:a.tar", "docker-archive", "a.tar"],
] as const)("%s is written as %s", (out, format, text) => {
  expect(parseTarget(out, undefined, pytorch)).toMatchObject({ format, kind: "path", text });
});

test("a format that is said decides, and a prefix that says another does not fit", () => {
  expect(parseTarget("image.img", "squashfs", pytorch).format).toBe("squashfs");
  expect(parseTarget("x.tar", "docker-archive", pytorch).format).toBe("docker-archive");
  expect(() => parseTarget("oci:x", "sif", pytorch)).toThrow("is not a file of the format sif");
  expect(() => parseTarget("image.img", undefined, pytorch)).toThrow("nothing says in which format");
  expect(() => parseTarget("oci:", undefined, pytorch)).toThrow("names no file");
});

test("ssh:// leads to another machine", () => {
  expect(parseTarget("ssh://login1/scratch/a.sif", undefined, pytorch)).toMatchObject({
    format: "sif",
    kind: "ssh",
    text: "ssh://login1/scratch/a.sif",
  });
});

test.each<[string, FormatName | undefined, string]>([
  ["docker://nvcr.io/nvidia/pytorch:24.01-py3", undefined, "pytorch_24.01-py3.sif"],
  ["docker://nvcr.io/nvidia/pytorch:24.01-py3", "sqsh", "nvidia+pytorch+24.01-py3.sqsh"],
  ["debian", "sqsh", "debian+latest.sqsh"],
  [`debian@sha256:${"ab".repeat(32)}`, "sif", "debian_sha256-abababababab.sif"],
  ["oci-archive:/x/app.tar:team/app:2", "tar", "app_2.tar"],
  ["oci:..", "squashfs", "image_latest.squashfs"],
])("%s as %s is named %s%s", (source, format, name) => {
  expect(parseTarget(undefined, format, parseSource(source)).text).toBe(name);
});

test("inside an archive the image has its own name, or the one behind the path", () => {
  const nameOf = (out: string, source = pytorch): string | undefined =>
    parseTarget(out, undefined, source).name;
  expect(nameOf("oci-archive:a.tar")).toBe("nvcr.io/nvidia/pytorch:24.01-py3");
  expect(nameOf("oci-archive:a.tar:short:1")).toBe("short:1");
  expect(nameOf("oci-archive:ssh://host/dir/a.tar:short:1")).toBe("short:1");
  expect(nameOf("a.tar", parseSource(`debian@sha256:${"ab".repeat(32)}`))).toBeUndefined();
});
