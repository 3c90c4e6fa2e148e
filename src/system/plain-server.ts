import { AppError } from "#core";
import { systemErrorCode } from "./storage-error.ts";

/** A page of a plain server: made anew for each request. */
export interface PlainPage {
  readonly status: number;
  readonly text: string;
}

export interface PlainServer {
  /** `host:port` as it listens. */
  readonly address: string;
  stop(): Promise<void>;
}

/**
 * Serves some pages of text by GET, for monitoring: nothing is read from a request but its path. Throws ADDRESS_IN_USE, and STORAGE_FAILED's
 * like for an address that is not this machine's.
 */
export function servePlain(
  at: { readonly hostname: string; readonly port: number },
  pages: Readonly<Record<string, () => PlainPage>>,
): PlainServer {
  try {
    const server = Bun.serve({
      ...at,
      idleTimeout: 10,
      maxRequestBodySize: 0,
      fetch(request) {
        const make = pages[new URL(request.url).pathname];
        if (make === undefined || !Object.hasOwn(pages, new URL(request.url).pathname))
          return new Response("there is no such page\n", { status: 404 });
        if (request.method !== "GET" && request.method !== "HEAD")
          return new Response("only GET\n", { status: 405, headers: { allow: "GET, HEAD" } });
        const { status, text } = make();
        return new Response(text, {
          status,
          headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
        });
      },
    });
    return { address: `${server.hostname}:${server.port}`, stop: () => server.stop(true) };
  } catch (cause) {
    const isTaken = systemErrorCode(cause) === "EADDRINUSE";
    throw new AppError(
      isTaken ? "ADDRESS_IN_USE" : "INVALID_INPUT",
      isTaken ? `${at.hostname}:${at.port} is taken` : `cannot listen on ${at.hostname}:${at.port}`,
      { hint: "name another address", cause },
    );
  }
}
