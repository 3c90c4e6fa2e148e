/** `wharf pull` from a real Distribution that wants a login, over its own protocol and ranges. */
import { afterAll, beforeAll, expect } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRegistryClient } from "#client";
import { Secret } from "#core";
import { createFetch } from "#system";
import { type Distribution, startDistribution } from "./support/distribution.ts";
import { findProgram, needs, programPath } from "./support/programs.ts";
import { pushImage } from "./support/push-image.ts";
import { runCli } from "./support/run-cli.ts";
import { mustRun } from "./support/run-program.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { renderTarItems } from "./support/tar-writer.ts";

const canRun = ["registry", "htpasswd"].every((name) => findProgram(name) !== undefined);
const PASSWORD = `pw-${crypto.randomUUID()}`;
// More than one stretch of a blob.
const big = crypto.getRandomValues(new Uint8Array(65_536));
const layer = renderTarItems(
  Array.from({ length: 300 }, (_, index) => ({
    path: `file-${index}`,
    content: Buffer.concat([big, Buffer.from([index])]),
  })),
);
let scratch: Scratch;
let peer: Distribution;
let home = "";

beforeAll(async () => {
  if (!canRun) return;
  scratch = createScratch("peer");
  peer = await startDistribution(scratch, { users: { alice: PASSWORD } });
  const client = createRegistryClient({
    registry: peer.host,
    plainHttp: true,
    fetch: createFetch({ environment: {}, userAgent: "wharf/test" }),
    credentials: { username: "alice", secret: new Secret(PASSWORD) },
  });
  await pushImage(client, "library/app", { tag: "1", layers: [layer] });
  home = mkdtempSync(join(tmpdir(), "wharf-peer-home-"));
}, 60_000);
afterAll(async () => {
  if (!canRun) return;
  await peer.stop();
  scratch.remove();
  rmSync(home, { recursive: true, force: true });
});

const wharf = (args: readonly string[]) =>
  runCli(args, { cwd: home, env: { HOME: home, PATH: process.env.PATH ?? "" } });

needs("registry", "htpasswd", "unsquashfs")(
  "with podman's login, and refused without",
  async () => {
    const image = `${peer.host}/library/app:1`;
    const anonymous = await wharf(["pull", image, "a.squashfs"]);
    expect(anonymous.code).toBe(4);
    expect(existsSync(join(home, "a.squashfs"))).toBe(false);
    mkdirSync(join(home, ".config", "containers"), { recursive: true });
    const auth = Buffer.from(`alice:${PASSWORD}`).toString("base64");
    writeFileSync(
      join(home, ".config", "containers", "auth.json"),
      JSON.stringify({ auths: { [peer.host]: { auth } } }),
      { mode: 0o600 },
    );
    expect(await wharf(["pull", image, "a.squashfs"])).toMatchObject({ code: 0, err: "" });
    const file = join(home, "a.squashfs");
    await mustRun([programPath("unsquashfs"), "-quiet", "-no-progress", "-dest", join(home, "tree"), file]);
    const last = readFileSync(join(home, "tree", "file-299"));
    expect(last.equals(Buffer.concat([big, Buffer.from([299])]))).toBe(true);
    const again = await wharf(["pull", image, "b.squashfs", "--json"]);
    expect(JSON.parse(again.out)).toMatchObject({ networkBytes: 0 });
  },
  60_000,
);
