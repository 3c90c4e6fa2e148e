/** The few calls of the distribution protocol that tests of a running registry make by hand, so that no client of ours stands between. */

export interface RegistryTarget {
  readonly url: string;
  /** The value of the Authorization header; empty to send none. */
  readonly authorization: string;
}

export interface SmallImage {
  readonly tag: string;
  readonly manifest: string;
  readonly manifestDigest: string;
  readonly blobs: readonly Uint8Array<ArrayBuffer>[];
}

export const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** Random bytes that nothing else holds. */
export function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

export function sha256Of(bytes: Uint8Array | string): string {
  return `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
}

/** An image of a config and random layers of the given sizes. */
export function smallImage(tag: string, layerSizes: readonly number[]): SmallImage {
  const config = new TextEncoder().encode(
    JSON.stringify({ architecture: "amd64", os: "linux", id: crypto.randomUUID() }),
  );
  const blobs = [config, ...layerSizes.map(randomBytes)];
  const [first, ...layers] = blobs.map((bytes, index) => ({
    mediaType:
      index === 0
        ? "application/vnd.oci.image.config.v1+json"
        : "application/vnd.oci.image.layer.v1.tar+gzip",
    digest: sha256Of(bytes),
    size: bytes.byteLength,
  }));
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: first, layers });
  return { tag, manifest, manifestDigest: sha256Of(manifest), blobs };
}

/** A request to the registry; never follows a redirect, never throws for a status. */
export function ask(
  target: RegistryTarget,
  method: string,
  path: string,
  options: {
    readonly body?: string | Uint8Array<ArrayBuffer>;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Response> {
  return fetch(new URL(path, target.url), {
    method,
    redirect: "manual",
    headers: {
      ...(target.authorization === "" ? {} : { authorization: target.authorization }),
      ...options.headers,
    },
    tls: { rejectUnauthorized: false },
    ...(options.body === undefined ? {} : { body: options.body }),
  });
}

/** Starts an upload; its address. */
export async function startUpload(target: RegistryTarget, repository: string): Promise<string> {
  return mustLocate(await ask(target, "POST", `/v2/${repository}/blobs/uploads/`), 202);
}

/** POST, then one PUT. Resolves once it is acknowledged. */
export async function pushBlob(
  target: RegistryTarget,
  repository: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const place = await startUpload(target, repository);
  await finishUpload(target, place, sha256Of(bytes), bytes);
}

/** POST, PATCH for each chunk, PUT without a body. `onPlace` hears each address before the next request is sent. */
export async function pushBlobInChunks(
  target: RegistryTarget,
  repository: string,
  bytes: Uint8Array<ArrayBuffer>,
  options: { readonly chunkBytes: number; readonly onPlace?: (place: string) => void },
): Promise<void> {
  let place = await startUpload(target, repository);
  for (let at = 0; at < bytes.byteLength; at += options.chunkBytes) {
    options.onPlace?.(place);
    const chunk = bytes.subarray(at, at + options.chunkBytes);
    place = await patchUpload(target, place, at, chunk);
  }
  options.onPlace?.(place);
  await finishUpload(target, place, sha256Of(bytes));
}

export async function patchUpload(
  target: RegistryTarget,
  place: string,
  at: number,
  chunk: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const answer = await ask(target, "PATCH", place, {
    body: chunk,
    headers: {
      "content-type": "application/octet-stream",
      "content-range": `${at}-${at + chunk.byteLength - 1}`,
    },
  });
  return mustLocate(answer, 202);
}

export async function finishUpload(
  target: RegistryTarget,
  place: string,
  digest: string,
  body?: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const separator = place.includes("?") ? "&" : "?";
  const answer = await ask(target, "PUT", `${place}${separator}digest=${digest}`, {
    headers: { "content-type": "application/octet-stream" },
    ...(body === undefined ? {} : { body }),
  });
  await mustLocate(answer, 201);
}

export async function pushManifest(
  target: RegistryTarget,
  repository: string,
  image: SmallImage,
): Promise<void> {
  const answer = await ask(target, "PUT", `/v2/${repository}/manifests/${image.tag}`, {
    body: image.manifest,
    headers: { "content-type": manifestType },
  });
  await mustLocate(answer, 201);
}

/** The digest of what a GET brought; undefined for 404. Throws for any other status, and for a body that is cut off. */
export async function digestAt(target: RegistryTarget, path: string): Promise<string | undefined> {
  const answer = await ask(target, "GET", path, { headers: { accept: manifestType } });
  const bytes = await answer.bytes();
  if (answer.status === 404) return undefined;
  if (answer.status !== 200)
    throw new Error(`GET ${path}: ${answer.status} ${new TextDecoder().decode(bytes)}`);
  return sha256Of(bytes);
}

async function mustLocate(answer: Response, status: number): Promise<string> {
  const text = await answer.text();
  const place = answer.headers.get("location");
  if (answer.status !== status || place === null) {
    throw new Error(`${answer.status} instead of ${status}: ${text}`);
  }
  return place;
}
