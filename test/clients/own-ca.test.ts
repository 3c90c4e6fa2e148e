/** `wharf serve --tls auto`: the CA is delivered with the login, and the programs that read it trust the server by it alone. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createImageFixture, type ImageFixture } from "../support/image-fixture.ts";
import { needs } from "../support/programs.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import {
  type Credentials,
  createProjectRobot,
  startWharf,
  type WharfProcess,
} from "../support/wharf-process.ts";
import { createHome, deliverLogin, type Home } from "./home.ts";
import type { ImageClient } from "./image-client.ts";
import { buildah } from "./programs/buildah.ts";
import { podman } from "./programs/podman.ts";
import { skopeo } from "./programs/skopeo.ts";

let scratch: Scratch;
let fixture: ImageFixture;
let wharf: WharfProcess;
let robot: Credentials;
let home: Home;

beforeAll(async () => {
  scratch = createScratch("own-ca");
  fixture = await createImageFixture(scratch.path);
  wharf = await startWharf(scratch, { args: ["--tls", "auto"], tls: true });
  robot = await createProjectRobot(wharf.admin, "secure");
  home = createHome(scratch, "home");
  await deliverLogin(home, wharf.host, robot, ["podman"], ["--ca", join(wharf.dataFolder, "tls", "ca.crt")]);
});

afterAll(async () => {
  await wharf.stop();
  scratch.remove();
});

describe.each([podman, buildah, skopeo])("$name", (kind) => {
  needs(...kind.programs)("pushes and pulls over TLS with the delivered CA, and not without it", async () => {
    const room = createScratch(kind.name);
    let client: ImageClient | undefined;
    try {
      client = await kind.start({ scratch: room, env: home.env, fixture, plainHttp: false });
      const reference = `${wharf.host}/secure/${kind.name}:image`;
      const pushed = await client.push(reference);
      expect(pushed.code === 0 ? "" : pushed.err).toBe("");
      const pulled = await client.pull(reference);
      expect(pulled.digest).toBe(client.imageDigest);
      // The login alone, without the CA that came with it.
      const bare = createHome(scratch, `bare-${kind.name}`);
      await deliverLogin(
        bare,
        wharf.host,
        robot,
        ["podman"],
        ["--ca", join(wharf.dataFolder, "tls", "ca.crt")],
      );
      rmSync(join(bare.path, ".config", "containers", "certs.d"), { recursive: true });
      const other = createScratch(kind.name);
      const untrusting = await kind.start({ scratch: other, env: bare.env, fixture, plainHttp: false });
      try {
        const refused = await untrusting.pull(reference);
        expect(refused.ran.code).not.toBe(0);
        expect(refused.ran.err).toMatch(/x509|certificate/);
      } finally {
        await untrusting.stop?.();
        other.remove();
      }
    } finally {
      await client?.stop?.();
      room.remove();
    }
  });
});
