/** Real programs on loopback push and pull real images with nothing but the delivered logins, and are refused without (issue 3, "Shown by" 1). */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Distribution, startDistribution } from "../support/distribution.ts";
import { createImageFixture, type ImageFixture } from "../support/image-fixture.ts";
import { needs, needsThat } from "../support/programs.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import { createHome, type Home } from "./home.ts";
import { type Bench, type ImageClient, ONE_IMAGE } from "./image-client.ts";
import { imageClients } from "./programs/all.ts";

let scratch: Scratch;
let fixture: ImageFixture;
let registry: Distribution;
let home: Home;
let empty: Home;

beforeAll(async () => {
  scratch = createScratch("clients");
  fixture = await createImageFixture(scratch.path);
  registry = await startDistribution(scratch, { users: { bot: "sesame-open" } });
  home = createHome(scratch, "home");
  empty = createHome(scratch, "empty");
  const auths = { [registry.host]: { auth: Buffer.from("bot:sesame-open").toString("base64") } };
  mkdirSync(join(home.path, ".docker"));
  writeFileSync(join(home.path, ".docker", "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
});

afterAll(async () => {
  await registry.stop();
  scratch.remove();
});

for (const kind of imageClients) {
  describe(kind.name, () => {
    let client: ImageClient | undefined;
    let stranger: ImageClient | undefined;
    afterAll(async () => {
      await client?.stop?.();
      await stranger?.stop?.();
      for (const room of rooms) room.remove();
    });
    const rooms: Scratch[] = [];
    const benchIn = (where: Home): Bench => ({
      scratch: opened(rooms, kind.name),
      env: where.env,
      fixture,
      plainHttp: true,
    });
    const withPrograms =
      kind.asRoot === true && process.getuid?.() !== 0
        ? needsThat(false, "needs root")
        : needs(...kind.programs, "registry", "htpasswd");

    withPrograms(
      "pushes and pulls a multi-layer image",
      async () => {
        client = await kind.start(benchIn(home));
        const reference = `${registry.host}/clients/${kind.name}:image`;
        const pushed = await client.push(reference);
        expect(pushed, pushed.err).toMatchObject({ code: 0 });
        const pulled = await client.pull(reference);
        expect(pulled.ran, pulled.ran.err).toMatchObject({ code: 0 });
        expect(pulled.digest).toBe(client.imageDigest);
      },
      180_000,
    );

    withPrograms(
      "pushes and pulls an index",
      async () => {
        expect(client).toBeDefined();
        const index = client?.index;
        if (index === undefined) return;
        const reference = `${registry.host}/clients/${kind.name}:index`;
        const pushed = await index.push(reference);
        expect(pushed, pushed.err).toMatchObject({ code: 0 });
        const pulled = await index.pull(reference);
        expect(pulled.ran, pulled.ran.err).toMatchObject({ code: 0 });
        expect(pulled.digest).toBe(index.digest ?? ONE_IMAGE);
      },
      180_000,
    );

    withPrograms(
      "is refused without the login, for the push and for the pull",
      async () => {
        stranger = await kind.start(benchIn(empty));
        const pushed = await stranger.push(`${registry.host}/clients/${kind.name}:other`);
        expect(pushed.code).not.toBe(0);
        expect(`${pushed.out}${pushed.err}`).toMatch(/unauthorized|authentication|denied|basic|401/i);
        const pulled = await stranger.pull(`${registry.host}/clients/${kind.name}:image`);
        expect(pulled.ran.code).not.toBe(0);
        expect(`${pulled.ran.out}${pulled.ran.err}`).toMatch(/unauthorized|authentication|denied|basic|401/i);
        expect(pulled.digest).toBe("");
      },
      180_000,
    );
  });
}

function opened(rooms: Scratch[], label: string): Scratch {
  const room = createScratch(label);
  rooms.push(room);
  return room;
}

test("the list of programs is whole", () => {
  expect(imageClients.map((kind) => kind.name)).toEqual([
    "docker",
    "podman",
    "buildah",
    "skopeo",
    "crane",
    "oras",
    "regctl",
  ]);
});
