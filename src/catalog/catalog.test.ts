import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "#core";
import { openCatalog } from "./catalog.ts";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/all.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "wharf-catalog-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const mode = (name: string): number => statSync(join(dir, name)).mode & 0o777;

test("a fresh folder gets its files, for their owner alone", async () => {
  const catalog = await openCatalog({ dir });
  await catalog.sealedSecrets.write("one", new Secret("first"));
  expect([mode("wharf.db"), mode("wharf.db-wal"), mode("generations"), mode("key")]).toEqual([
    0o600, 0o600, 0o600, 0o600,
  ]);
  await catalog.close();
});

test("sealed secrets come back in another process's eyes, and are not in the files", async () => {
  const first = await openCatalog({ dir });
  const second = await openCatalog({ dir });
  const [a, b] = await Promise.all([
    first.sealedSecrets.readOrCreate("signing", () => new Secret("canary-from-first")),
    second.sealedSecrets.readOrCreate("signing", () => new Secret("canary-from-second")),
  ]);
  expect(a.reveal()).toBe(b.reveal());
  expect(second.sealedSecrets.read("signing")?.reveal()).toBe(a.reveal());
  expect(first.sealedSecrets.read("other")).toBeUndefined();
  await first.close();
  await second.close();
  expect(readFileSync(join(dir, "wharf.db")).includes("canary-from")).toBe(false);
});

test("a sealed box opens neither under another name nor under another key", async () => {
  const catalog = await openCatalog({ dir });
  await catalog.sealedSecrets.write("one", new Secret("text"));
  await catalog.close();
  const db = new Database(join(dir, "wharf.db"));
  db.run("INSERT INTO sealed_secrets SELECT 'two', nonce, box, created_at FROM sealed_secrets");
  db.close();
  const moved = await openCatalog({ dir });
  expect(() => moved.sealedSecrets.read("two")).toThrow("does not open under this key");
  expect(moved.sealedSecrets.read("one")?.reveal()).toBe("text");
  await moved.close();
  writeFileSync(join(dir, "key"), new Uint8Array(32));
  const rekeyed = await openCatalog({ dir });
  expect(() => rekeyed.sealedSecrets.read("one")).toThrow("does not open under this key");
  await rekeyed.close();
  writeFileSync(join(dir, "key"), "short");
  await expect(openCatalog({ dir })).rejects.toThrow("is not a key");
});

test("a database of a newer wharf, of another program, or damaged is refused and left alone", async () => {
  const newer = new Database(join(dir, "wharf.db"));
  migrate(newer, migrations);
  newer.run(`PRAGMA user_version = ${migrations.length + 1}`);
  newer.close();
  await expect(openCatalog({ dir })).rejects.toThrow("this wharf knows versions up to");

  rmSync(join(dir, "wharf.db"));
  const foreign = new Database(join(dir, "wharf.db"));
  foreign.run("PRAGMA application_id = 7");
  foreign.close();
  await expect(openCatalog({ dir })).rejects.toThrow("another program");

  rmSync(join(dir, "wharf.db"));
  writeFileSync(join(dir, "wharf.db"), "this is no database, but long enough to have a header ".repeat(20));
  await expect(openCatalog({ dir })).rejects.toMatchObject({ code: "STORAGE_FAILED" });
  expect(readFileSync(join(dir, "wharf.db"), "utf8")).toStartWith("this is no database");
});

test("an upgrade from version 1 keeps its rows", async () => {
  const old = new Database(join(dir, "wharf.db"));
  migrate(old, migrations.slice(0, 1));
  old.run("INSERT INTO projects (name, visibility, created_at) VALUES ('kept', 'private', 1)");
  old.close();
  const catalog = await openCatalog({ dir });
  await catalog.close();
  const upgraded = new Database(join(dir, "wharf.db"));
  expect(upgraded.query("SELECT name FROM projects").values()).toEqual([["kept"]]);
  expect(upgraded.query("PRAGMA user_version").values()).toEqual([[migrations.length]]);
  upgraded.close();
});

test("a step that fails leaves the database at the version it had", () => {
  const db = new Database(":memory:");
  migrate(db, migrations);
  const next = migrations.length + 1;
  const bad = { version: next, up: "CREATE TABLE half (n); CREATE TABLE projects (n)" };
  expect(() => migrate(db, [...migrations, bad])).toThrow();
  expect(db.query("PRAGMA user_version").values()).toEqual([[next - 1]]);
  expect(db.query("SELECT name FROM sqlite_schema WHERE name = 'half'").values()).toEqual([]);
  db.close();
});

test("migrations are numbered without a hole", () => {
  expect(migrations.map((migration) => migration.version)).toEqual(migrations.map((_, index) => index + 1));
});
