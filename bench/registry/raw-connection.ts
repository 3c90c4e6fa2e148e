import type { Socket } from "bun";

/** An answer as the wire had it; header names in lower case. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/**
 * One keep-alive connection that sends one request at a time: about 15 µs of a core for each, so that the generator
 * is not what is measured. Answers with a Content-Length or without a body only, which all servers here send to small requests.
 */
export interface RawConnection {
  request(head: string, body?: Uint8Array): Promise<RawAnswer>;
  close(): void;
}

export async function connectRaw(host: string): Promise<RawConnection> {
  const [hostname = "", port = ""] = host.split(":");
  let received = Buffer.alloc(0);
  let waiting: { resolve(answer: RawAnswer): void; reject(cause: Error): void } | undefined;
  const fail = (message: string) => {
    waiting?.reject(new Error(message));
    waiting = undefined;
  };
  const socket: Socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data: (_, chunk) => {
        received = received.length === 0 ? Buffer.from(chunk) : Buffer.concat([received, chunk]);
        const answer = parseAnswer(received);
        if (answer === undefined || waiting === undefined) return;
        received = Buffer.alloc(0);
        const asked = waiting;
        waiting = undefined;
        asked.resolve(answer);
      },
      close: () => fail("the server closed the connection"),
      error: (_, cause) => fail(cause.message),
    },
  });
  return {
    request: (head, body) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        const headBytes = Buffer.from(head, "latin1");
        const bytes = body === undefined ? headBytes : Buffer.concat([headBytes, body]);
        // Small requests fit the socket's buffer; anything else is a fault of the benchmark.
        if (socket.write(bytes) !== bytes.length) fail("the request did not fit the socket's buffer");
      }),
    close: () => {
      socket.end();
    },
  };
}

/** undefined while it is not whole. */
export function parseAnswer(bytes: Buffer): RawAnswer | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const length = Number(headers.get("content-length") ?? 0);
  const body = bytes.subarray(end + 4);
  return body.length < length ? undefined : { status: Number(first.split(" ")[1]), headers, body };
}
