/** What `wharf copy` makes, in the hands of those it is made for: docker and podman load our archive, and pull what was copied to a registry. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { createImageFixture, type ImageFixture } from "../support/image-fixture.ts";
import { needs, needsThat } from "../support/programs.ts";
import { runCli } from "../support/run-cli.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import { createProjectRobot, startWharf, type WharfProcess } from "../support/wharf-process.ts";
import { createHome, deliverLogin, type Home } from "./home.ts";
import { docker } from "./programs/docker.ts";
import { podman } from "./programs/podman.ts";

let scratch: Scratch;
let fixture: ImageFixture;
let wharf: WharfProcess;
let home: Home;

beforeAll(async () => {
  scratch = createScratch("copied");
  fixture = await createImageFixture(scratch.path);
  wharf = await startWharf(scratch);
  home = createHome(scratch, "home");
  await deliverLogin(home, wharf.host, await createProjectRobot(wharf.admin, "clients"), [
    "docker",
    "podman",
  ]);
}, 120_000);
afterAll(async () => {
  await wharf.stop();
  scratch.remove();
});

async function copy(...args: readonly string[]): Promise<void> {
  const { code, err } = await runCli(["copy", ...args], { cwd: home.path, env: home.env });
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
}

for (const kind of [docker, podman]) {
  const isAllowed = process.getuid?.() === 0 || kind !== docker;
  const run = isAllowed ? needs(...kind.programs) : needsThat(false, "needs root");
  describe(kind.name, () => {
    run(
      "loads our archive, whose image is the same in its hands, and pulls what was copied to a registry",
      async () => {
        // A short name: podman's run folder may have 50 characters.
        const room = createScratch("c");
        const archive = room.at("ours.tar");
        await copy(`oci:${fixture.layout}:image`, `docker-archive:${archive}:fixture:image`);
        const bench = {
          scratch: room,
          env: home.env,
          fixture: { ...fixture, dockerArchive: archive },
          plainHttp: true,
        };
        const client = await kind.start(bench);
        try {
          const pushed = `${wharf.host}/clients/${kind.name}:loaded`;
          const { code, err } = await client.push(pushed);
          expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
          expect((await client.pull(pushed)).digest).toBe(client.imageDigest);
          const copied = `${wharf.host}/clients/${kind.name}:copied`;
          await copy(`oci:${fixture.layout}:index`, `docker://${copied}`, "--all-platforms");
          expect((await client.pull(copied)).digest).toBe(client.imageDigest);
        } finally {
          await client.stop?.();
          room.remove();
        }
      },
      180_000,
    );
  });
}
