import { rmSync } from "node:fs";
import { programPath } from "../../test/support/programs.ts";
import type { TimedProgram } from "../delivery/time-runs.ts";
import type { ImageBench } from "./image-bench.ts";

/** A program that makes a file (or a folder) of an image. */
export interface Converter extends TimedProgram {
  readonly out: string;
}

/** `wharf pull` of a source into `out`, its format said by its ending. */
export function wharfPull(
  bench: ImageBench,
  source: string,
  out: string,
  ...options: readonly string[]
): Converter {
  const path = bench.scratch.at(out);
  return {
    command: [bench.wharf, "pull", source, path, "--quiet", ...options],
    env: homeOf(bench),
    out: path,
  };
}

/** The same, with nothing kept for the next one. */
export function pullOnce(
  bench: ImageBench,
  source: string,
  out: string,
  ...options: readonly string[]
): Converter {
  return wharfPull(bench, source, out, "--no-cache", ...options);
}

/** `gzip -dc` of a layer into a program that takes a tar on its standard input; `$2` in `words` is the result's path. */
export function gunzipInto(bench: ImageBench, layer: string, words: string, out: string): Converter {
  return shell(bench, `gzip -dc "$1" | ${withPaths(words)}`, layer, out);
}

/** The same of a tar that is not compressed. */
export function tarInto(bench: ImageBench, tar: string, words: string, out: string): Converter {
  return shell(bench, `${withPaths(words)} <"$1"`, tar, out);
}

/** On the first processor alone. */
export function onOneCore(converter: Converter, out: string): Converter {
  const command = converter.command.map((word) => (word === converter.out ? out : word));
  return { ...converter, command: ["taskset", "-c", "0", ...command], out };
}

export function clearOutput({ out }: Converter): void {
  rmSync(out, { recursive: true, force: true });
}

/** A home without anything in it, and temporary files where they are counted. */
export function homeOf({ scratch }: ImageBench): Readonly<Record<string, string>> {
  return { HOME: scratch.path, TMPDIR: scratch.path, PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
}

function shell(bench: ImageBench, script: string, input: string, out: string): Converter {
  const path = bench.scratch.at(out);
  return { command: ["sh", "-c", script, "sh", input, path], env: homeOf(bench), out: path };
}

/** The program by its path: a person's PATH may lack its folder. */
function withPaths(words: string): string {
  const [name = "", ...rest] = words.split(" ");
  return [programPath(name), ...rest].join(" ");
}
