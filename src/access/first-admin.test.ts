import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCatalog } from "#catalog";
import { basic } from "../../test/support/accounts.ts";
import { createAccess } from "./access.ts";
import { ensureFirstAdmin, forgetFirstPassword } from "./first-admin.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "wharf-first-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

test("processes that start at once make one admin, whose password lies in a private file", async () => {
  const catalogs = await Promise.all([openCatalog({ dir }), openCatalog({ dir })]);
  const made = await Promise.all(catalogs.map((catalog) => ensureFirstAdmin({ catalog, dir })));
  expect(made.filter((first) => first.isNew).length).toBe(1);
  const file = join(dir, "admin-password");
  expect(made.map((first) => first.passwordFile)).toEqual([file, file]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const password = readFileSync(file, "utf8").trim();
  for (const catalog of catalogs) {
    const access = createAccess({ catalog });
    const { principal } = await access.authenticate(basic("admin", password), "::1");
    expect(principal).toMatchObject({ kind: "user", name: "admin", admin: true });
  }
  await forgetFirstPassword(dir, "somebody");
  expect(existsSync(file)).toBe(true);
  await forgetFirstPassword(dir, "admin");
  expect(existsSync(file)).toBe(false);
  const [catalog] = catalogs;
  const again = catalog && (await ensureFirstAdmin({ catalog, dir }));
  expect(again).toEqual({ username: "admin", passwordFile: undefined, isNew: false });
  for (const open of catalogs) await open.close();
});

test("a password file of the caller's is used, left alone, and refused when it is missing or weak", async () => {
  const catalog = await openCatalog({ dir });
  const passwordFile = join(dir, "given");
  await expect(ensureFirstAdmin({ catalog, dir, passwordFile })).rejects.toThrow("is not there");
  writeFileSync(passwordFile, "short\n");
  await expect(ensureFirstAdmin({ catalog, dir, passwordFile })).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
  const text = `chosen ${crypto.randomUUID()}`;
  writeFileSync(passwordFile, `${text}\n`);
  expect((await ensureFirstAdmin({ catalog, dir, passwordFile })).passwordFile).toBeUndefined();
  const access = createAccess({ catalog });
  expect((await access.authenticate(basic("admin", text), "::1")).principal.kind).toBe("user");
  expect(existsSync(join(dir, "admin-password"))).toBe(false);
  await catalog.close();
});
