import type { Socket } from "node:net";
import { AppError } from "#core";

/** Lines from one who connected, and a way to answer them. */
export interface LineClient {
  /** The next line without its end; undefined when the other end has gone. */
  read(): Promise<string | undefined>;
  /** One line more. What cannot be sent any more is dropped: the other end has gone. */
  write(line: string): void;
  close(): void;
}

export interface LineServer {
  /** Ends every connection, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Listens on a unix socket for programs that this process started; whoever may enter its folder may connect. `serve` runs for each
 * connection, which ends when it returns. A line of more than `maxBytes` ends it too.
 */
export async function listenLines(
  path: string,
  maxBytes: number,
  serve: (client: LineClient) => Promise<void>,
): Promise<LineServer> {
  const sockets = new Set<Socket>();
  const server = process.getBuiltinModule("node:net").createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A broken connection is seen as its end by whoever reads.
    socket.on("error", () => undefined);
    void serve(createClient(socket, maxBytes)).finally(() => socket.end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new AppError("STORAGE_FAILED", `listening at ${path} failed`, { cause })),
    );
    server.listen(path, resolve);
  });
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function createClient(socket: Socket, maxBytes: number): LineClient {
  const lines = readLines(socket, maxBytes);
  return {
    async read() {
      const { done, value } = await lines.next();
      return done === true ? undefined : value;
    },
    write: (line) => void (socket.writable && socket.write(`${line}\n`)),
    close: () => socket.end(),
  };
}

async function* readLines(socket: Socket, maxBytes: number): AsyncGenerator<string, undefined> {
  let chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      let rest = chunk;
      for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
        yield Buffer.concat([...chunks, rest.subarray(0, end)]).toString("utf8");
        chunks = [];
        size = 0;
        rest = rest.subarray(end + 1);
      }
      chunks.push(rest);
      size += rest.length;
      if (size > maxBytes) return undefined;
    }
  } catch {
    // Reset by the other end, as above.
    return undefined;
  }
  return undefined;
}
