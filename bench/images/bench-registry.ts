import { readFileSync } from "node:fs";
import { createRegistryClient, type RegistryClient } from "#client";
import { Secret, silentLogger } from "#core";
import { createFetch } from "#system";
import { pushManifest } from "../../test/support/push-image.ts";
import { startWharf, type WharfProcess } from "../../test/support/wharf-process.ts";
import type { ImageBench } from "./image-bench.ts";

/** The image's place in the registry; its tag is `one`. */
export const BENCH_REPOSITORY = "bench/debian";

/** A registry of ours as shipped, in a process of its own, that logs each request; the image lies in a public project of it: what is measured is no login. */
export async function startBenchRegistry(bench: ImageBench): Promise<WharfProcess> {
  const root = await bench.rootFileSystem();
  const server = await startWharf(bench.scratch, {
    command: [bench.wharf],
    args: ["--log-level", "debug", "--log-format", "json"],
  });
  try {
    await pushLayout(server, root.source.slice("oci:".length, -":image".length));
    return server;
  } catch (cause) {
    await server.stop();
    throw cause;
  }
}

/** What the server was asked meanwhile: method and path, by its own log. */
export async function requestsOf(
  server: WharfProcess,
  work: () => Promise<unknown>,
): Promise<readonly string[]> {
  const before = (await server.readLog()).length;
  await work();
  return (await server.readLog())
    .slice(before)
    .split("\n")
    .filter((line) => line.includes('"method"'))
    .map((line) => JSON.parse(line) as { readonly method?: string; readonly path?: string })
    .map(({ method, path }) => `${method} ${path}`);
}

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
  await pushManifest(client, BENCH_REPOSITORY, "one", { ...manifest });
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
  await client.uploadBlob(context, BENCH_REPOSITORY, { digest, sizeBytes, content: Bun.file(path) });
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}
