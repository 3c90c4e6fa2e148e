/** The generated reference is what the code says now, and texts name nothing that is not there. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { environmentWords } from "../scripts/docs/configuration-words.ts";
import { renderDocs } from "../scripts/docs/render-docs.ts";
import { rooms } from "./rooms.ts";
import { readTexts } from "./support/texts.ts";

const root = join(import.meta.dir, "..");

test("the generated reference is fresh (npm run docs writes it)", async () => {
  const stale: string[] = [];
  for (const [path, text] of await renderDocs()) {
    const full = join(root, path);
    if (!existsSync(full) || readFileSync(full, "utf8") !== text) stale.push(path);
  }
  expect(stale).toEqual([]);
}, 60_000);

test("every environment variable of wharf's own is in the reference", () => {
  // The launcher's word to main, unset before anything else runs.
  const found = new Set<string>();
  for (const path of new Bun.Glob("src/**/*.ts").scanSync(root)) {
    if (path.endsWith(".test.ts")) continue;
    for (const match of readFileSync(join(root, path), "utf8").matchAll(/\bWHARF_[A-Z_]+/g))
      found.add(match[0]);
  }
  found.delete("WHARF_CALLED_AS");
  expect([...found].filter((name) => environmentWords[name] === undefined)).toEqual([]);
});

test("the architecture's table of rooms is the one that is tested", () => {
  const built = Object.keys(rooms).filter((room) => existsSync(join(root, "src", room, "index.ts")));
  const expected = built.map((room) => {
    const allowed = rooms[room] ?? [];
    return `${room}: ${allowed.includes("*") ? "any" : allowed.filter((name) => built.includes(name)).join(" ") || "–"}`;
  });
  const rows = [
    ...(readTexts().get("ARCHITECTURE.md") ?? "").matchAll(/^\| `([a-z]+)` \|.*\| ([^|]+) \|$/gm),
  ];
  expect(rows.map(([, room, allowed]) => `${room}: ${allowed}`)).toEqual(expected);
});

test("every decision and every consumer's page is in its list", () => {
  const texts = readTexts();
  const unlisted = [...texts.keys()].filter((path) => {
    const folder = /^docs\/(?:decisions|consumers)\//.exec(path)?.[0];
    const name = path.slice(folder?.length ?? 0);
    return (
      folder !== undefined && name !== "README.md" && !texts.get(`${folder}README.md`)?.includes(`(${name})`)
    );
  });
  expect(unlisted).toEqual([]);
  expect([...texts].filter(([path, text]) => path === "README.md" && text.split("\n").length > 151)).toEqual(
    [],
  );
});

test("links between texts lead somewhere", () => {
  const texts = readTexts();
  expect(texts.size).toBeGreaterThan(5);
  const broken: string[] = [];
  for (const [path, text] of texts) {
    for (const [, target = ""] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      if (!existsSync(join(root, dirname(path), target))) broken.push(`${path}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});
