import { readFileSync } from "node:fs";
import { createRegistryClient, type RegistryClient } from "#client";
import { Secret, silentLogger } from "#core";
import { createFetch } from "#system";
import { pushManifest } from "../../test/support/push-image.ts";
import { startWharf, type WharfProcess } from "../../test/support/wharf-process.ts";
import { timeInTurn, timeRun } from "../delivery/time-runs.ts";
import { atMostMs, type PeerRow } from "../peer-row.ts";
import { type Converter, wharfPull } from "./converters.ts";
import type { ImageBench } from "./image-bench.ts";

const REPOSITORY = "bench/debian";

/** A first pull from a registry of ours, and the second one of the same digest: how long, how many requests, what is written. */
export async function measureSecondPull(bench: ImageBench): Promise<readonly PeerRow[]> {
  const root = await bench.rootFileSystem();
  const server = await startWharf(bench.scratch, {
    command: [bench.wharf],
    args: ["--log-level", "debug", "--log-format", "json"],
  });
  try {
    await pushLayout(server, root.source.slice("oci:".length, -":image".length));
    const source = `docker://${server.host}/${REPOSITORY}:one`;
    const pull = (out: string, ...options: readonly string[]): Converter =>
      wharfPull(bench, source, out, "--force", ...options);
    const first = pull("first.sqsh");
    const rows: PeerRow[] = [];
    const { ms, writtenBytes } = await timeRun(first);
    const resultBytes = Bun.file(first.out).size;
    const beside = (writtenBytes - resultBytes - root.gzipBytes) / 1e6;
    rows.push(
      {
        work: "first pull from a registry on this machine, squashfs zstd 3",
        unit: "ms",
        decimals: 0,
        wharf: ms,
        peers: [],
        goal: "–",
        verdict: undefined,
      },
      {
        work: "written to files by it beside the cache's blob and the result",
        unit: "MB",
        decimals: 1,
        wharf: beside,
        peers: [],
        goal: "nothing",
        verdict: { met: beside <= (resultBytes / 1e6) * 0.05, words: `${beside.toFixed(1)} MB` },
      },
    );
    await timeRun(pull("first.sif"));
    for (const [work, again] of [
      ["second pull of the same digest, squashfs", pull("again.sqsh")],
      ["second pull of the same digest, SIF, linked", pull("again.sif", "--link")],
      ["second pull of the same digest, SIF, a file of its own", pull("own.sif")],
    ] as const) {
      const requests = await requestsOf(server, () => timeRun(again));
      const [medianMs = Number.NaN] = await timeInTurn([again], bench.settings.pulls);
      const verdict = atMostMs(medianMs, 50);
      rows.push({
        work,
        unit: "ms",
        decimals: 1,
        wharf: medianMs,
        peers: [],
        goal: "≤ 50 ms, one HEAD beside signing in",
        verdict: {
          met: verdict.met && isOneHead(requests),
          words: `${verdict.words}; ${requests.join(", ") || "no request"}`,
        },
      });
    }
    return rows;
  } finally {
    await server.stop();
  }
}

/** Of the image itself nothing but its HEAD was asked; the challenge and the token before it are the same for every request to a registry. */
function isOneHead(requests: readonly string[]): boolean {
  const ofImage = requests.filter((request) => request.includes(`/${REPOSITORY}/`));
  return ofImage.length === 1 && ofImage[0]?.startsWith("HEAD ") === true;
}

/** What the server was asked meanwhile: method and path, by its own log. */
async function requestsOf(server: WharfProcess, work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = (await server.readLog()).length;
  await work();
  return (await server.readLog())
    .slice(before)
    .split("\n")
    .filter((line) => line.includes('"method"'))
    .map((line) => JSON.parse(line) as { readonly method?: string; readonly path?: string })
    .map(({ method, path }) => `${method} ${path}`);
}

/** Into a public project: what is measured is no login. */
async function pushLayout(server: WharfProcess, folder: string): Promise<void> {
  await server.admin.call("POST", "/projects", { name: "bench", visibility: "public" });
  const client = createRegistryClient({
    registry: server.host,
    fetch: createFetch({ environment: {}, userAgent: "wharf/bench" }),
    credentials: { username: server.admin.username, secret: new Secret(server.admin.secret) },
    plainHttp: true,
  });
  const blobAt = (digest: string): string => `${folder}/blobs/sha256/${digest.slice("sha256:".length)}`;
  const index = readJson<{ readonly manifests: readonly { readonly digest: string }[] }>(
    `${folder}/index.json`,
  );
  const manifest = readJson<LayoutManifest>(blobAt(index.manifests[0]?.digest ?? ""));
  for (const { digest, size } of [manifest.config, ...manifest.layers])
    await pushFile(client, { digest, sizeBytes: size, path: blobAt(digest) });
  await pushManifest(client, REPOSITORY, "one", { ...manifest });
}

interface LayoutManifest {
  readonly mediaType: string;
  readonly config: LayoutBlob;
  readonly layers: readonly LayoutBlob[];
}

interface LayoutBlob {
  readonly digest: string;
  readonly size: number;
}

async function pushFile(
  client: RegistryClient,
  { digest, sizeBytes, path }: { readonly digest: string; readonly sizeBytes: number; readonly path: string },
): Promise<void> {
  const context = { signal: new AbortController().signal, log: silentLogger };
  await client.uploadBlob(context, REPOSITORY, { digest, sizeBytes, content: Bun.file(path) });
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}
