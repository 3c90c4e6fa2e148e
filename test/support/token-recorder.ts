/** What a client sent to get a token: who it said it is. */
export type Shown =
  | { readonly kind: "anonymous" }
  | { readonly kind: "basic"; readonly username: string; readonly secret: string }
  | { readonly kind: "identity"; readonly secret: string };

/** A registry on loopback that asks everybody for a token, gives one to all, and writes down what was shown for it. */
export interface TokenRecorder {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** URL of the token endpoint, whose host may be another name of loopback. */
  readonly realm: string;
  /** What was shown since the last call. */
  take(): readonly Shown[];
  stop(): Promise<void>;
}

const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.docker.distribution.manifest.v2+json",
  config: {
    mediaType: "application/vnd.docker.container.image.v1+json",
    size: 2,
    digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  },
  layers: [],
});

export function startTokenRecorder(options: { readonly realmHost?: string } = {}): TokenRecorder {
  const shown: Shown[] = [];
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request): Promise<Response> {
      const { pathname } = new URL(request.url);
      if (pathname === "/token") {
        shown.push(await readShown(request));
        return Response.json({ token: "given", access_token: "given", expires_in: 300 });
      }
      if (request.headers.get("authorization") !== "Bearer given")
        return new Response("", {
          status: 401,
          headers: {
            "www-authenticate": `Bearer realm="${realm}",service="scripted",scope="repository:team/x:pull"`,
            "docker-distribution-api-version": "registry/2.0",
          },
        });
      if (pathname.includes("/manifests/"))
        return new Response(MANIFEST, {
          headers: { "content-type": "application/vnd.docker.distribution.manifest.v2+json" },
        });
      return new Response("{}", { status: 200 });
    },
  });
  const realm: string = `http://${options.realmHost ?? "127.0.0.1"}:${server.port}/token`;
  return {
    host: `127.0.0.1:${server.port}`,
    realm,
    take: () => shown.splice(0),
    stop: () => server.stop(true),
  };
}

async function readShown(request: Request): Promise<Shown> {
  if (request.method === "POST") {
    const form = new URLSearchParams(await request.text());
    const token = form.get("refresh_token");
    if (token !== null) return { kind: "identity", secret: token };
  }
  const basic = /^Basic (.+)$/.exec(request.headers.get("authorization") ?? "");
  if (basic === null) return { kind: "anonymous" };
  const pair = Buffer.from(basic[1] ?? "", "base64").toString();
  const colon = pair.indexOf(":");
  return { kind: "basic", username: pair.slice(0, colon), secret: pair.slice(colon + 1) };
}
