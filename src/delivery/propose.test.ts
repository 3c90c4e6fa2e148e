import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "#core";
import { createInventory } from "./inventory.ts";
import { proposeDeliveries } from "./propose.ts";

test("proposes what is installed or has a file, and nothing else", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wharf-init-"));
  try {
    const context = { signal: new AbortController().signal, log: silentLogger };
    const surroundings = { env: { HOME: folder, PATH: join(folder, "bin") }, cwd: folder };
    const inventory = createInventory(surroundings, folder);
    expect(await proposeDeliveries(context, inventory)).toEqual([]);
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin", "docker"), "#!/bin/sh\necho Docker version 28.2.2\n");
    chmodSync(join(folder, "bin", "docker"), 0o755);
    mkdirSync(join(folder, ".docker"), { mode: 0o700 });
    writeFileSync(join(folder, ".docker", "config.json"), "{}");
    expect(await proposeDeliveries(context, inventory)).toEqual([
      {
        delivery: { to: "docker", at: "local" },
        because: ["docker 28.2.2 is installed", `${join(folder, ".docker", "config.json")} is there`],
      },
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
