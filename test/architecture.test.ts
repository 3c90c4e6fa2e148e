/** Holds the house together: rooms import only what their row allows, through doors; packages and built-ins have owners; no circle; no long file. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { builtins, packages, rooms } from "./rooms.ts";

const root = join(import.meta.dir, "..");
const transpiler = new Bun.Transpiler({ loader: "ts" });

interface SourceFile {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files: SourceFile[] = [...new Bun.Glob("src/**/*.{ts,tsx}").scanSync(root)].sort().map((path) => {
  const text = readFileSync(join(root, path), "utf8");
  return {
    path,
    room: path.split("/").length === 2 ? "main" : (path.split("/")[1] ?? ""),
    text,
    imports: importsOf(text),
  };
});

/** Every specifier, of types too (the transpiler drops those). */
function importsOf(text: string): string[] {
  const found = new Set(transpiler.scanImports(text).map((entry) => entry.path));
  for (const match of text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^;'"`]*?from\s+"([^"]+)"/g)) {
    if (match[1] !== undefined) found.add(match[1]);
  }
  for (const match of text.matchAll(/(?:import|getBuiltinModule)\(\s*"([^"]+)"\s*\)/g))
    if (match[1] !== undefined) found.add(match[1]);
  return [...found];
}

const isTest = (path: string): boolean => path.endsWith(".test.ts");

test("there are sources to look at", () => {
  expect(files.length).toBeGreaterThan(5);
});

test("rooms import only the rooms in their row, through doors", () => {
  const breaches: string[] = [];
  for (const file of files) {
    const allowed = file.room === "main" ? ["cli", "programs", "core"] : rooms[file.room];
    if (allowed === undefined) {
      breaches.push(`${file.path}: no room "${file.room}" in test/rooms.ts`);
      continue;
    }
    for (const specifier of file.imports) {
      if (specifier.startsWith("#")) {
        const target = specifier.slice(1).split("/")[0] ?? "";
        if (target === file.room) breaches.push(`${file.path}: goes through its own door ${specifier}`);
        else if (!allowed.includes("*") && !allowed.includes(target) && !isTest(file.path))
          breaches.push(`${file.path}: ${file.room} may not import ${specifier}`);
      } else if (specifier.startsWith(".")) {
        const target = join(file.path, "..", specifier);
        const inRoom =
          file.room === "main"
            ? target.startsWith("src/cli/") || target.startsWith("src/programs/")
            : target.startsWith(`src/${file.room}/`);
        const ofTests = isTest(file.path) && target.startsWith("test/");
        const manifest = target === "package.json";
        if (!inRoom && !ofTests && !manifest) breaches.push(`${file.path}: reaches past a door to ${target}`);
      }
    }
  }
  expect(breaches).toEqual([]);
});

test("no circle between rooms", () => {
  const seen = new Set<string>();
  const visit = (room: string, trail: readonly string[]): void => {
    if (trail.includes(room)) throw new Error(`circle: ${[...trail, room].join(" → ")}`);
    if (seen.has(room)) return;
    for (const next of rooms[room] ?? []) if (next !== "*") visit(next, [...trail, room]);
    seen.add(room);
  };
  for (const room of Object.keys(rooms)) visit(room, []);
});

test("packages and built-in modules are used by their owners only", () => {
  const breaches: string[] = [];
  for (const file of files.filter((candidate) => !isTest(candidate.path) && candidate.room !== "main")) {
    for (const specifier of file.imports) {
      if (specifier.startsWith("#") || specifier.startsWith(".")) continue;
      const isBuiltin =
        specifier === "bun" ||
        specifier.startsWith("bun:") ||
        specifier.startsWith("node:") ||
        builtinModules.includes(specifier);
      const name = isBuiltin
        ? specifier
        : specifier
            .split("/")
            .slice(0, specifier.startsWith("@") ? 2 : 1)
            .join("/");
      const owners = isBuiltin ? builtins[name] : packages[name];
      if (owners === undefined || !(owners.includes("*") || owners.includes(file.room)))
        breaches.push(`${file.path}: ${file.room} does not own ${name}`);
    }
  }
  expect(breaches).toEqual([]);
});

test("no file of code over 400 lines, tests included", () => {
  const paths = [...new Bun.Glob("{src,test,scripts,bench}/**/*.{ts,tsx,go,sh}").scanSync(root)];
  expect(paths.some((path) => path === "test/architecture.test.ts")).toBe(true);
  const long = paths
    // Tables of data, a row for each error and each written mistake: nobody reads them from end to end.
    .filter((path) => !/\/(?:error|fault)-table\.ts$/.test(path))
    .filter((path) => readFileSync(join(root, path), "utf8").split("\n").length > 401);
  expect(long.sort()).toEqual([]);
});

test("no room for leftovers", () => {
  const leftovers = files.filter((file) =>
    /(?:^|\/)(?:utils?|helpers?|common|misc|types)(?:\/|\.ts$)/.test(file.path),
  );
  expect(leftovers.map((file) => file.path)).toEqual([]);
});

test("process.exit stands only in main.ts", () => {
  expect(
    files
      .filter((file) => file.room !== "main" && !isTest(file.path) && /process\.exit\(/.test(file.text))
      .map((file) => file.path),
  ).toEqual([]);
});
