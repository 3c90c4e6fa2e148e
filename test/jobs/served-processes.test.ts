/** Conversions among processes: two servers and many clients, a worker that is killed, a server that is killed or stopped; and real programs that pull. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createRegistryClient } from "#client";
import { Secret } from "#core";
import { digestOf, mediaTypes } from "#oci";
import { createFetch } from "#system";
import { needs, programPath } from "../support/programs.ts";
import { pushBlob, pushManifest } from "../support/push-image.ts";
import { mustRun } from "../support/run-program.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";
import { renderTarItems } from "../support/tar-writer.ts";
import { until } from "../support/until.ts";
import { basic, startWharf, type WharfProcess, wharfFromSource } from "../support/wharf-process.ts";

const LONG_MS = 120_000;
const SIF_CONFIG = "application/vnd.sylabs.sif.config.v1+json";
const BIG_BYTES = 64 * 1024 * 1024;

let scratch: Scratch;
let wharf: WharfProcess;
let second: { readonly url: string; readLog(): Promise<string>; stop(): Promise<void> };

beforeAll(async () => {
  scratch = createScratch("served-processes");
  wharf = await startWharf(scratch);
  second = await startSecond();
  await wharf.admin.call("POST", "/projects", { name: "team" });
  await wharf.admin.call("PATCH", "/projects/team", { convert: "sif" });
}, LONG_MS);
afterAll(async () => {
  await second.stop();
  await wharf.stop();
  scratch.remove();
});

/** Another server of the same data folder. */
async function startSecond(): Promise<typeof second> {
  const log = Bun.file(scratch.at(`second-${crypto.randomUUID()}.log`));
  const child = Bun.spawn(
    [...wharfFromSource, "serve", "--data", wharf.dataFolder, "--listen", "127.0.0.1:0", "--json"],
    {
      stdio: ["ignore", "pipe", log],
      env: { PATH: process.env.PATH ?? "", HOME: scratch.path, TMPDIR: scratch.path },
    },
  );
  const { value } = await child.stdout.getReader().read();
  const { url } = JSON.parse(new TextDecoder().decode(value)) as { url: string };
  return {
    url,
    readLog: () => log.text(),
    async stop() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

/** An image of one program and so many bytes that no compressor makes smaller. */
async function push(repository: string, sizeBytes: number): Promise<string> {
  const { username, secret } = wharf.admin;
  const client = createRegistryClient({
    registry: wharf.host,
    fetch: createFetch({ environment: {}, userAgent: "wharf/test" }),
    credentials: { username, secret: new Secret(secret) },
  });
  const noise = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
  const tar = renderTarItems([
    { path: "bin/sh", mode: 0o755, content: "#!" },
    { path: "noise", content: noise },
  ]);
  const layer = await pushBlob(client, repository, mediaTypes.ociLayer, new Uint8Array(tar));
  const config = await pushBlob(
    client,
    repository,
    mediaTypes.ociConfig,
    new TextEncoder().encode(
      JSON.stringify({
        os: "linux",
        architecture: "amd64",
        config: { Env: ["PATH=/bin"], Cmd: ["/bin/sh"] },
        rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
      }),
    ),
  );
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
  return (await pushManifest(client, repository, "v1", manifest)).digest;
}

/** As a client that asks again for as long as it is told to. */
async function pull(url: string, path: string): Promise<Response> {
  for (;;) {
    const answer = await fetch(`${url}/v2/${path}`, { headers: { authorization: basic(wharf.admin) } });
    if (answer.status !== 503) return answer;
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(await answer.text()).toContain("is being made of its image");
  }
}

const database = (): Database => new Database(join(wharf.dataFolder, "wharf.db"));
/** The process that converts right now. */
function workerPid(): number | undefined {
  const db = database();
  const row = db
    .query<{ holder: string }, []>(
      "SELECT holder FROM jobs WHERE state = 'running' AND kind = 'convert-image'",
    )
    .get();
  db.close();
  return row === null ? undefined : Number(row.holder.split("-")[0]);
}
const uploads = (): readonly string[] =>
  readdirSync(join(wharf.dataFolder, "uploads")).filter((name) => name.startsWith("job-"));
const isGone = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return true;
  }
};

test(
  "two servers and twenty clients at once make it once, and each has the same",
  async () => {
    const source = await push("team/many", 1024 * 1024);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const answer = await pull(n % 2 === 0 ? wharf.url : second.url, "team/many/manifests/v1.sif");
        return `${answer.status} ${answer.headers.get("docker-content-digest")}`;
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toStartWith("200 sha256:");
    // The worker says so after the result is there.
    const made = await until("it is in the log", async () => {
      const logs = `${await wharf.readLog()}${await second.readLog()}`;
      return logs.split('"converted an image"').length - 1 || undefined;
    });
    expect(made).toBe(1);
    const referrers = await pull(second.url, `team/many/referrers/${source}`);
    expect(((await referrers.json()) as { manifests: unknown[] }).manifests.length).toBe(1);
  },
  LONG_MS,
);

test(
  "a worker that is killed leaves nothing wrong: another goes on once its lease ends",
  async () => {
    await push("team/killed", BIG_BYTES);
    const asked = pull(wharf.url, "team/killed/manifests/v1.sif");
    const pid = await until("a worker converts", workerPid, 30_000);
    // proc(5): the 19th of them, 16 behind the name and the state, is the priority that a worker gives itself.
    expect(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[16]).toBe("19");
    process.kill(pid, "SIGKILL");
    await until("it is dead", () => isGone(pid) || undefined);
    // Half a minute later:
    const db = database();
    db.run("UPDATE jobs SET lease_until = 0 WHERE state = 'running'");
    db.close();
    expect((await asked).status).toBe(200);
    expect(uploads()).toEqual([]);
  },
  LONG_MS,
);

test(
  "a worker does not outlive its server, and gives back what it was doing",
  async () => {
    await second.stop();
    await push("team/restart", BIG_BYTES);
    const asked = pull(wharf.url, "team/restart/manifests/v1.sif").catch(() => undefined);
    const pid = await until("a worker converts", workerPid, 30_000);
    await wharf.kill();
    await asked;
    await until("the worker has ended", () => isGone(pid) || undefined, 30_000);
    expect(uploads()).toEqual([]);
    wharf = await startWharf(scratch, { dataFolder: wharf.dataFolder });
    second = await startSecond();
    expect((await pull(wharf.url, "team/restart/manifests/v1.sif")).status).toBe(200);
  },
  LONG_MS,
);

needs("oras", "crane", "siftool")(
  "oras, crane and wharf pull it by its tag, oras finds it as a referrer; siftool knows it",
  async () => {
    const source = await push("team/real", 100_000);
    const env = { HOME: scratch.at("home"), PATH: process.env.PATH ?? "" };
    const { username, secret } = wharf.admin;
    const oras = [programPath("oras")];
    const login = ["--plain-http", "--username", username, "--password-stdin", wharf.host];
    await mustRun([...oras, "login", ...login], { env, input: secret });
    const out = scratch.at("oras");
    await mustRun([...oras, "pull", "--plain-http", "-o", out, `${wharf.host}/team/real:v1.sif`], { env });
    const file = join(out, "real.sif");
    expect(await mustRun([programPath("siftool"), "list", file], { env })).toContain(
      "Squashfs/*System/amd64",
    );
    const found = await mustRun(
      [
        ...oras,
        "discover",
        "--plain-http",
        "--artifact-type",
        SIF_CONFIG,
        `${wharf.host}/team/real@${source}`,
      ],
      { env },
    );
    expect(found).toContain(SIF_CONFIG);
    await mustRun([programPath("crane"), "auth", "login", wharf.host, "-u", username, "--password-stdin"], {
      env,
      input: secret,
    });
    const manifest = JSON.parse(
      await mustRun([programPath("crane"), "manifest", "--insecure", `${wharf.host}/team/real:v1.sif`], {
        env,
      }),
    ) as { layers: { digest: string }[] };
    const pulled = scratch.at("pulled.sif");
    await mustRun([...wharfFromSource, "pull", `oras://${wharf.host}/team/real:v1.sif`, pulled], { env });
    expect(readFileSync(pulled).equals(readFileSync(file))).toBe(true);
    expect(digestOf(readFileSync(file))).toBe(manifest.layers[0]?.digest ?? "");
  },
  LONG_MS,
);
