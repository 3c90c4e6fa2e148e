/** The disk under the catalog is full: writes are refused as that, reads go on, and so do writes once there is room. */
import { expect } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { openCatalog } from "#catalog";
import { isAppError } from "#core";
import { findProgram, needsThat, programPath } from "./support/programs.ts";
import { mustRun } from "./support/run-program.ts";
import { createScratch } from "./support/scratch.ts";

const canMount = process.getuid?.() === 0 && findProgram("mount") !== undefined;

needsThat(canMount, "needs root, to mount a small tmpfs")("a full disk under the catalog", async () => {
  const scratch = createScratch("catalog-full");
  const disk = scratch.at("disk");
  mkdirSync(disk);
  await mustRun([programPath("mount"), "-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", disk]);
  try {
    const ballast = `${disk}/ballast`;
    writeFileSync(ballast, new Uint8Array(1_500_000));
    const catalog = await openCatalog({ dir: `${disk}/data` });
    const make = (name: string): Promise<unknown> =>
      catalog.write(["access"], () =>
        catalog.projects.create({ name, visibility: "private", description: "x".repeat(4000), createdAt: 1 }),
      );
    const made: string[] = [];
    let refusals = 0;
    for (let index = 0; index < 2000 && refusals < 3; index++) {
      const batch = [`p${index}a`, `p${index}b`];
      const results = await Promise.allSettled(batch.map(make));
      for (const [at, result] of results.entries()) {
        if (result.status === "fulfilled") made.push(batch[at] ?? "");
        else {
          expect(isAppError(result.reason, "STORAGE_FULL")).toBe(true);
          refusals++;
        }
      }
    }
    expect(refusals).toBeGreaterThan(0);
    expect(made.length).toBeGreaterThan(10);
    const there = (): string[] => made.filter((name) => catalog.projects.find(name) !== undefined);
    expect(there()).toEqual(made);
    rmSync(ballast);
    await make("after");
    await catalog.close();
    const reopened = await openCatalog({ dir: `${disk}/data` });
    expect([...made, "after"].filter((name) => reopened.projects.find(name) === undefined)).toEqual([]);
    await reopened.close();
  } finally {
    // Lazily: the mapped counters go with the garbage.
    await mustRun([programPath("umount"), "--lazy", disk]);
    scratch.remove();
  }
});
