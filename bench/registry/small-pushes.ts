import { manifestType, type RegistryTarget, sha256Of } from "../../test/support/registry-calls.ts";
import { connectRaw, type RawConnection } from "./raw-connection.ts";

/** What one pusher sends over its connection. */
interface Pusher {
  readonly connection: RawConnection;
  readonly host: string;
  readonly authorization: string;
  readonly repository: string;
}

async function openPushers(target: RegistryTarget, repository: string, count: number): Promise<Pusher[]> {
  const host = new URL(target.url).host;
  const authorization = target.authorization === "" ? "" : `Authorization: ${target.authorization}\r\n`;
  return Promise.all(
    Array.from({ length: count }, async () => ({
      connection: await connectRaw(host),
      host,
      authorization,
      repository,
    })),
  );
}

/** Whole pushes per second: config, a 1 KB layer and a manifest under a tag of its own, all new, `connections` at a time. */
export async function measureSmallPushes(
  target: RegistryTarget,
  repository: string,
  load: { readonly connections: number; readonly seconds: number },
): Promise<number> {
  const pushers = await openPushers(target, repository, load.connections);
  const started = performance.now();
  const deadline = started + load.seconds * 1000;
  let done = 0;
  await Promise.all(
    pushers.map(async (pusher) => {
      while (performance.now() < deadline) {
        await pushImage(pusher, `push-${crypto.randomUUID()}`);
        done += 1;
      }
      pusher.connection.close();
    }),
  );
  return done / ((performance.now() - started) / 1000);
}

/** Tag PUTs per second for each of `parts` equal stretches, while `from` to `to` tags of one manifest are made. */
export async function measureTagPuts(
  target: RegistryTarget,
  repository: string,
  load: { readonly connections: number; readonly from: number; readonly to: number; readonly parts: number },
): Promise<number[]> {
  const pushers = await openPushers(target, repository, load.connections);
  const first = pushers[0];
  if (first === undefined) return [];
  const manifest = await pushImage(first, "first");
  const rates: number[] = [];
  const size = (load.to - load.from) / load.parts;
  for (let part = 0; part < load.parts; part += 1) {
    let next = load.from + part * size;
    const end = next + size;
    const started = performance.now();
    await Promise.all(
      pushers.map(async (pusher) => {
        while (next < end) {
          const tag = `t-${String(next).padStart(6, "0")}`;
          next += 1;
          await putManifest(pusher, tag, manifest);
        }
      }),
    );
    rates.push(size / ((performance.now() - started) / 1000));
  }
  for (const pusher of pushers) pusher.connection.close();
  return rates;
}

/** Makes an image in each of many repositories, for the catalog. */
export async function fillRepositories(
  target: RegistryTarget,
  project: string,
  count: number,
): Promise<void> {
  const pushers = await openPushers(target, "", 4);
  let next = 0;
  await Promise.all(
    pushers.map(async (pusher) => {
      while (next < count) {
        const repository = `${project}/repo-${String(next).padStart(5, "0")}`;
        next += 1;
        await pushImage({ ...pusher, repository }, "one");
      }
      pusher.connection.close();
    }),
  );
}

async function pushImage(pusher: Pusher, tag: string): Promise<string> {
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", id: crypto.randomUUID() }));
  const layer = crypto.getRandomValues(Buffer.alloc(1024));
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: await putBlob(pusher, config),
      size: config.length,
    },
    layers: [
      {
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        digest: await putBlob(pusher, layer),
        size: layer.length,
      },
    ],
  });
  await putManifest(pusher, tag, manifest);
  return manifest;
}

async function putBlob(pusher: Pusher, bytes: Buffer): Promise<string> {
  const digest = sha256Of(bytes);
  const { connection, host, authorization, repository } = pusher;
  const begun = await connection.request(
    `POST /v2/${repository}/blobs/uploads/ HTTP/1.1\r\nHost: ${host}\r\n${authorization}Content-Length: 0\r\n\r\n`,
  );
  const location = begun.headers.get("location");
  if (begun.status !== 202 || location === undefined) {
    throw new Error(`starting an upload: ${begun.status} ${begun.body.toString()}`);
  }
  const path = location.startsWith("http") ? location.slice(location.indexOf("/", 8)) : location;
  const put = await connection.request(
    `PUT ${path}${path.includes("?") ? "&" : "?"}digest=${digest} HTTP/1.1\r\nHost: ${host}\r\n${authorization}` +
      `Content-Type: application/octet-stream\r\nContent-Length: ${bytes.length}\r\n\r\n`,
    bytes,
  );
  if (put.status !== 201) throw new Error(`a blob's PUT: ${put.status} ${put.body.toString()}`);
  return digest;
}

async function putManifest(pusher: Pusher, tag: string, manifest: string): Promise<void> {
  const body = Buffer.from(manifest);
  const answer = await pusher.connection.request(
    `PUT /v2/${pusher.repository}/manifests/${tag} HTTP/1.1\r\nHost: ${pusher.host}\r\n${pusher.authorization}` +
      `Content-Type: ${manifestType}\r\nContent-Length: ${body.length}\r\n\r\n`,
    body,
  );
  if (answer.status !== 201) throw new Error(`a manifest's PUT: ${answer.status} ${answer.body.toString()}`);
}
