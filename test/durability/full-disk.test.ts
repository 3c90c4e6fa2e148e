/** The disk is full: the client is told so, nothing is corrupt, and service goes on when there is room (issue 3, "Durable"). */
import { expect } from "bun:test";
import { mkdirSync } from "node:fs";
import { findProgram, needsThat, programPath } from "../support/programs.ts";
import {
  ask,
  digestAt,
  finishUpload,
  pushBlob,
  pushManifest,
  type RegistryTarget,
  randomBytes,
  sha256Of,
  smallImage,
  startUpload,
} from "../support/registry-calls.ts";
import { mustRun, runProgram } from "../support/run-program.ts";
import { createScratch } from "../support/scratch.ts";
import { basic, createProjectRobot, startWharf } from "../support/wharf-process.ts";

const canMount = process.getuid?.() === 0 && findProgram("mount") !== undefined;

needsThat(canMount, "needs root, to mount a small tmpfs")(
  "a full disk",
  async () => {
    const scratch = createScratch("full");
    const disk = scratch.at("disk");
    mkdirSync(disk);
    await mustRun([programPath("mount"), "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", disk]);
    try {
      const wharf = await startWharf(scratch, { dataFolder: `${disk}/data` });
      try {
        const robot = await createProjectRobot(wharf.admin, "full");
        const target: RegistryTarget = { url: wharf.url, authorization: basic(robot) };
        const image = smallImage("v1", [2_000_000]);
        for (const bytes of image.blobs) await pushBlob(target, "full/repo", bytes);
        await pushManifest(target, "full/repo", image);

        // More than there is room for: refused in words that a client shows, not with a cut connection.
        const large = randomBytes(40_000_000);
        const place = await startUpload(target, "full/repo");
        const refused = await ask(
          target,
          "PUT",
          `${place}${place.includes("?") ? "&" : "?"}digest=${sha256Of(large)}`,
          {
            body: large,
            headers: { "content-type": "application/octet-stream" },
          },
        );
        expect(refused.status).toBe(507);
        const said = (await refused.json()) as { readonly errors: readonly { readonly message: string }[] };
        expect(said.errors[0]?.message).toMatch(/room|space|full/);
        expect(await digestAt(target, `/v2/full/repo/blobs/${sha256Of(large)}`)).toBeUndefined();

        // To the last byte, many small ones at a time: each is acknowledged and there, or refused and absent.
        const outcomes = new Map<string, boolean>();
        for (let turn = 0; turn < 400 && [...outcomes.values()].filter((ok) => !ok).length < 5; turn += 1) {
          const bytes = randomBytes(turn % 2 === 0 ? 400_000 : 9_000);
          const path = `/v2/full/repo/blobs/${sha256Of(bytes)}`;
          const done = pushBlob(target, "full/repo", bytes).then(
            () => true,
            () => false,
          );
          outcomes.set(path, await done);
        }
        expect([...outcomes.values()]).toContain(false);
        for (const [path, acknowledged] of outcomes) {
          const digest = path.slice(path.lastIndexOf("/") + 1);
          expect([path, await digestAt(target, path)]).toEqual([path, acknowledged ? digest : undefined]);
        }
        expect(await digestAt(target, "/v2/full/repo/manifests/v1")).toBe(image.manifestDigest);
        expect((await fetch(`${wharf.url}/healthz`)).status).toBe(200);

        // Room again, without a restart.
        await mustRun([programPath("mount"), "-o", "remount,size=96m", disk]);
        const again = await startUpload(target, "full/repo");
        await finishUpload(target, again, sha256Of(large), large);
        expect(await digestAt(target, `/v2/full/repo/blobs/${sha256Of(large)}`)).toBe(sha256Of(large));
        const next = smallImage("v2", [1000]);
        for (const bytes of next.blobs) await pushBlob(target, "full/repo", bytes);
        await pushManifest(target, "full/repo", next);
        expect(await wharf.stop()).toBe(0);
      } finally {
        await wharf.kill();
      }
    } finally {
      await runProgram(["umount", disk]);
      scratch.remove();
    }
  },
  120_000,
);
