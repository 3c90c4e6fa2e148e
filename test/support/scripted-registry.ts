/** What a scripted registry was asked. */
export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A registry whose answers a test writes, to inject what real ones do only when they fail. */
export interface ScriptedRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly asked: readonly Asked[];
  /** `METHOD path` of all that was asked, in order. */
  lines(): string[];
  stop(): Promise<void>;
}

/** Starts one on loopback; `answer` gives undefined for 404. */
export function startScriptedRegistry(
  answer: (asked: Asked) => Response | undefined | Promise<Response | undefined>,
): ScriptedRegistry {
  const asked: Asked[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const url = new URL(request.url);
      const entry = {
        method: request.method,
        path: url.pathname + url.search,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      };
      asked.push(entry);
      return (await answer(entry)) ?? new Response(null, { status: 404 });
    },
  });
  return {
    host: `127.0.0.1:${server.port}`,
    asked,
    lines: () => asked.map((entry) => `${entry.method} ${entry.path}`),
    stop: () => server.stop(true),
  };
}

/** A server that speaks bytes: for answers that are cut off. */
export interface RawServer {
  readonly host: string;
  /** The requests, as they came. */
  readonly requests: readonly string[];
  /** Ends the connections that are open. */
  cut(): void;
  stop(): void;
}

/** Starts one on loopback. `answer` gives the whole reply; `isHeld` leaves the connection open after it, until `cut`. */
export function startRawServer(answer: (request: string) => string, isHeld = false): RawServer {
  const requests: string[] = [];
  const open = new Set<{ end(): unknown }>();
  const listener = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, data) {
        const request = data.toString("utf8");
        requests.push(request);
        socket.write(answer(request));
        if (isHeld) open.add(socket);
        else socket.end();
      },
      close(socket) {
        open.delete(socket);
      },
    },
  });
  return {
    host: `127.0.0.1:${listener.port}`,
    requests,
    cut: () => {
      for (const socket of open) socket.end();
    },
    stop: () => {
      listener.stop(true);
    },
  };
}
