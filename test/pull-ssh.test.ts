/** `wharf pull SOURCE ssh://host/path`: a SIF on another host, and nothing of it here. */
import { afterAll, beforeAll, expect } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { findProgram, needs, programPath } from "./support/programs.ts";
import { type InProcessResult, runCli } from "./support/run-cli.ts";
import { mustRun } from "./support/run-program.ts";
import { savedImage } from "./support/saved-image.ts";
import { createScratch } from "./support/scratch.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";

const scratch = createScratch("pull-ssh");
const hasServer = ["sshd", "ssh", "ssh-keygen"].every((name) => findProgram(name) !== undefined);
let server: SshServer;
let there = "";
beforeAll(async () => {
  if (!hasServer) return;
  server = await startSshServer();
  there = server.addHost("login1");
}, 60_000);
afterAll(async () => {
  if (hasServer) await server.stop();
  scratch.remove();
}, 60_000);

const remote = needs("sshd", "ssh", "ssh-keygen", "siftool");

remote("a SIF is written to the host, again only when it is forced, and no folder here has it", async () => {
  const home = scratch.at("home");
  writeFileSync(scratch.at("image.tar"), savedImage());
  const pull = (...more: readonly string[]): Promise<InProcessResult> =>
    runCli(["pull", `docker-archive:${scratch.at("image.tar")}`, "ssh://login1/~/image.sif", ...more], {
      cwd: scratch.path,
      env: { ...server.env, HOME: home },
    });
  const made = await pull("--json");
  expect(made.err).toBe("");
  const document = JSON.parse(made.out) as { readonly out: string; readonly sizeBytes: number };
  expect(document).toMatchObject({ format: "sif", out: "ssh://login1/~/image.sif" });
  const bytes = readFileSync(`${there}/image.sif`);
  expect(bytes.length).toBe(document.sizeBytes);
  expect(await mustRun([programPath("siftool"), "list", `${there}/image.sif`])).toContain("*System/amd64");
  const again = await pull();
  expect(again.code).toBe(1);
  expect(again.err).toContain("it is there already");
  const forced = await pull("--force", "--compress", "zstd");
  expect(forced.code).toBe(0);
  expect(forced.err).toContain("refuse a SIF compressed with zstd");
  expect(readFileSync(`${there}/image.sif`).equals(bytes)).toBe(false);
  expect(readdirSync(there)).toEqual(["image.sif"]);
  expect(readdirSync(scratch.path).sort()).toEqual(["home", "image.tar"]);
  // Results of a pull to this machine are kept; this one is not.
  expect(readdirSync(`${home}/.cache/wharf/images/results`)).toEqual([]);
});
