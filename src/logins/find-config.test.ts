import { afterEach, beforeEach, expect, test } from "bun:test";
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppError } from "#core";
import { besideConfig, findConfig, userConfigFolder } from "./find-config.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wharf-find-"));
  for (const name of ["home", "here", "other"]) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function find(env: Record<string, string> = {}, explicit?: string): Promise<string> {
  const surroundings = { env: { HOME: join(folder, "home"), ...env }, cwd: join(folder, "here") };
  return await findConfig(surroundings, explicit).then(
    (found) =>
      `${found.path.slice(folder.length)}${found.exists ? "" : " (new)"}${found.passedOver === undefined ? "" : " (passed over)"}`,
    (cause: AppError) => cause.code,
  );
}

test("-c, then WHARF_CONFIG, then the current folder, then the user's folder", async () => {
  expect(await find()).toBe("/home/.config/wharf/wharf.yaml (new)");
  mkdirSync(join(folder, "home", ".config", "wharf"), { recursive: true });
  writeFileSync(join(folder, "home", ".config", "wharf", "wharf.yaml"), "");
  expect(await find()).toBe("/home/.config/wharf/wharf.yaml");
  expect(await find({ XDG_CONFIG_HOME: join(folder, "other") })).toBe("/other/wharf/wharf.yaml (new)");
  writeFileSync(join(folder, "here", "wharf.yaml"), "");
  expect(await find()).toBe("/here/wharf.yaml");
  const named = join(folder, "other", "site.yaml");
  expect(await find({ WHARF_CONFIG: named })).toBe("CONFIG_NOT_FOUND");
  writeFileSync(named, "");
  expect(await find({ WHARF_CONFIG: named })).toBe("/other/site.yaml");
  expect(await find({ WHARF_CONFIG: named }, "wharf.yaml")).toBe("/here/wharf.yaml");
  expect(await find({}, "nowhere.yaml")).toBe("CONFIG_NOT_FOUND");
});

// Only root can give a file away.
test.skipIf(process.geteuid?.() !== 0)("somebody else's file or folder is passed over", async () => {
  writeFileSync(join(folder, "here", "wharf.yaml"), "");
  chownSync(join(folder, "here", "wharf.yaml"), 65_534, 65_534);
  expect(await find()).toBe("/home/.config/wharf/wharf.yaml (new) (passed over)");
  chownSync(join(folder, "here", "wharf.yaml"), 0, 0);
  chownSync(join(folder, "here"), 65_534, 65_534);
  expect(await find()).toBe("/home/.config/wharf/wharf.yaml (new) (passed over)");
});

test("vault and state lie beside their configuration, under its name", () => {
  expect(besideConfig("/site/wharf.yaml", "vault")).toBe("/site/wharf.vault");
  expect(besideConfig("/site/prod.yml", "state")).toBe("/site/prod.state");
  expect(userConfigFolder({ env: { HOME: "/home/ann", XDG_CONFIG_HOME: "relative" }, cwd: "/" })).toBe(
    "/home/ann/.config/wharf",
  );
});
