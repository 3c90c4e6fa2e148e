import { digestOf, mediaTypes } from "#oci";

/** A registry of one image in memory, open to everybody, that knows ranges, counts what it gives, and gives it no faster than it is taken. */
export interface BlobRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** As it is pulled. */
  readonly image: string;
  /** Bytes of all layers. */
  readonly totalBytes: number;
  /** Bytes of blobs given so far. */
  servedBytes: number;
  /** Requests of manifests and blobs so far: method and path. */
  readonly requests: string[];
  /** Called after each piece. */
  onServed: (() => void) | undefined;
  stop(): Promise<void>;
}

const PIECE_BYTES = 64 * 1024;

/** `layers` are tar archives, lowest first. */
export function startBlobRegistry(layers: readonly Uint8Array[]): BlobRegistry {
  const blobs = new Map(layers.map((tar) => [digestOf(tar), tar]));
  const config = Buffer.from(
    JSON.stringify({
      os: "linux",
      architecture: "amd64",
      rootfs: { type: "layers", diff_ids: layers.map((tar) => digestOf(tar)) },
    }),
  );
  blobs.set(digestOf(config), config);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
    layers: layers.map((tar) => ({
      mediaType: mediaTypes.ociLayer,
      digest: digestOf(tar),
      size: tar.length,
    })),
  });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v2/") return new Response("{}");
      registry.requests.push(`${request.method} ${pathname}`);
      if (pathname.startsWith("/v2/a/b/manifests/"))
        return new Response(manifest, {
          headers: { "content-type": mediaTypes.ociManifest, "docker-content-digest": digestOf(manifest) },
        });
      const bytes = blobs.get(pathname.slice("/v2/a/b/blobs/".length));
      if (bytes === undefined) return new Response(null, { status: 404 });
      const [, from = "0", to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "") ?? [];
      const end = to === undefined ? bytes.length : Number(to) + 1;
      const body = given(bytes.subarray(Number(from), end));
      const headers = { "content-length": String(end - Number(from)) };
      if (to === undefined) return new Response(body, { headers });
      return new Response(body, {
        status: 206,
        headers: { ...headers, "content-range": `bytes ${from}-${to}/${bytes.length}` },
      });
    },
  });
  const given = (bytes: Uint8Array): ReadableStream<Uint8Array> => {
    let at = 0;
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        // Sockets take megabytes at once: a pause lets the one who reads keep up.
        await Bun.sleep(1);
        const piece = bytes.slice(at, at + PIECE_BYTES);
        at += piece.length;
        if (piece.length > 0) controller.enqueue(piece);
        registry.servedBytes += piece.length;
        if (at >= bytes.length) controller.close();
        registry.onServed?.();
      },
    });
  };
  const host = `127.0.0.1:${server.port}`;
  const registry: BlobRegistry = {
    host,
    image: `${host}/a/b:1`,
    totalBytes: layers.reduce((sum, tar) => sum + tar.length, 0),
    servedBytes: 0,
    requests: [],
    onServed: undefined,
    stop: () => server.stop(true),
  };
  return registry;
}
