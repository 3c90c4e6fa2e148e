/** Real programs on loopback push and pull real images with nothing but the delivered logins, and are refused without (issue 3, "Shown by" 1). */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createImageFixture, type ImageFixture } from "../support/image-fixture.ts";
import { needs, needsThat } from "../support/programs.ts";
import { ask } from "../support/registry-calls.ts";
import { type Ran, runProgram } from "../support/run-program.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import {
  basic,
  type Credentials,
  createProjectRobot,
  startWharf,
  type WharfProcess,
} from "../support/wharf-process.ts";
import { createHome, deliverLogin, type Home } from "./home.ts";
import { type Bench, type ImageClient, ONE_IMAGE } from "./image-client.ts";
import { imageClients } from "./programs/all.ts";

const refusal = /unauthorized|authentication|denied|no basic auth|401/i;
const indexTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

let scratch: Scratch;
let fixture: ImageFixture;
let wharf: WharfProcess;
let robot: Credentials;
let home: Home;
let empty: Home;

beforeAll(async () => {
  scratch = createScratch("clients");
  fixture = await createImageFixture(scratch.path);
  wharf = await startWharf(scratch);
  robot = await createProjectRobot(wharf.admin, "clients");
  home = createHome(scratch, "home");
  empty = createHome(scratch, "empty");
  await deliverLogin(home, wharf.host, robot, ["docker", "podman", "enroot"]);
});

afterAll(async () => {
  await wharf.stop();
  scratch.remove();
});

for (const kind of imageClients) {
  describe(kind.name, () => {
    let client: ImageClient | undefined;
    let stranger: ImageClient | undefined;
    const rooms: Scratch[] = [];
    afterAll(async () => {
      await client?.stop?.();
      await stranger?.stop?.();
      for (const room of rooms) room.remove();
    });
    const benchIn = (where: Home): Bench => {
      // Of its own, with a short name: podman's run folder may have 50 characters.
      const room = createScratch(kind.name);
      rooms.push(room);
      return { scratch: room, env: where.env, fixture, plainHttp: true };
    };
    const withPrograms =
      kind.asRoot === true && process.getuid?.() !== 0
        ? needsThat(false, "needs root")
        : needs(...kind.programs);

    withPrograms(
      "pushes and pulls a multi-layer image",
      async () => {
        client = await kind.start(benchIn(home));
        const reference = `${wharf.host}/clients/${kind.name}:image`;
        expectDone(await client.push(reference));
        const pulled = await client.pull(reference);
        expectDone(pulled.ran);
        expect(pulled.digest).toBe(client.imageDigest);
      },
      180_000,
    );

    withPrograms(
      "pushes and pulls an index",
      async () => {
        const index = client?.index;
        if (index === undefined) throw new Error("it was not started, or it knows no index");
        const reference = `${wharf.host}/clients/${kind.name}:index`;
        expectDone(await index.push(reference));
        const stored = await ask(
          { url: wharf.url, authorization: basic(robot) },
          "HEAD",
          `/v2/clients/${kind.name}/manifests/index`,
          { headers: { accept: indexTypes.join(", ") } },
        );
        expect(indexTypes).toContain(stored.headers.get("content-type") ?? "");
        const pulled = await index.pull(reference);
        expectDone(pulled.ran);
        expect(pulled.digest).toBe(index.digest ?? ONE_IMAGE);
      },
      180_000,
    );

    withPrograms(
      "is refused without the login, for the push and for the pull",
      async () => {
        stranger = await kind.start(benchIn(empty));
        expectRefused(await stranger.push(`${wharf.host}/clients/${kind.name}:other`));
        const pulled = await stranger.pull(`${wharf.host}/clients/${kind.name}:image`);
        expectRefused(pulled.ran);
        expect(pulled.digest).toBe("");
      },
      180_000,
    );
  });
}

describe("curl with Enroot's netrc", () => {
  const pull = (where: Home, output: string): Promise<Ran> =>
    runProgram(
      [
        "sh",
        join(import.meta.dir, "enroot-pull.sh"),
        join(where.path, ".config", "enroot", ".credentials"),
        wharf.host,
        "clients/enroot",
        "image",
        scratch.at(output),
      ],
      { env: where.env },
    );

  needs(
    "curl",
    "jq",
    "skopeo",
  )("pulls", async () => {
    const pushed = await runProgram(
      [
        "skopeo",
        "copy",
        "--preserve-digests",
        "--dest-tls-verify=false",
        `oci:${fixture.layout}:image`,
        `docker://${wharf.host}/clients/enroot:image`,
      ],
      { env: home.env },
    );
    expectDone(pushed);
    const ran = await pull(home, "enroot");
    expectDone(ran);
    expect(`sha256:${ran.out.trim()}`).toBe(fixture.manifestDigest);
    expect(existsSync(scratch.at("enroot", fixture.configDigest))).toBe(true);
  });

  needs(
    "curl",
    "jq",
    "skopeo",
  )("is refused without its line, and with a line for another host", async () => {
    const without = await pull(empty, "enroot-empty");
    expect(without.code).not.toBe(0);
    const folder = join(empty.path, ".config", "enroot");
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, ".credentials"),
      `machine localhost login ${robot.username} password ${robot.secret}\n`,
      { mode: 0o600 },
    );
    const elsewhere = await pull(empty, "enroot-elsewhere");
    expect(elsewhere.code).not.toBe(0);
    expect(existsSync(scratch.at("enroot-elsewhere", fixture.configDigest))).toBe(false);
  });
});

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

/** Exit code 0; else the program's own words are what fails. */
function expectDone(ran: Ran): void {
  expect(ran.code === 0 ? "" : `exit code ${ran.code}: ${ran.out}${ran.err}`).toBe("");
}

/** It failed, and said that it was for want of a login. */
function expectRefused(ran: Ran): void {
  expect(ran.code).not.toBe(0);
  expect(`${ran.out}${ran.err}`).toMatch(refusal);
}
