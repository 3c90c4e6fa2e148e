import type { RequestLoad } from "./request-load.ts";

/**
 * HEAD requests per second by raw sockets: wrk waits for the body that a HEAD's Content-Length speaks of, for ever.
 * An answer is counted by its first line and its end, nothing else is read of it. Throws at an answer that is not 200.
 */
export async function measureHeads(load: RequestLoad): Promise<number> {
  const { host, hostname, port, pathname } = new URL(load.url);
  const authorization = load.authorization === undefined ? "" : `Authorization: ${load.authorization}\r\n`;
  const request = Buffer.from(`HEAD ${pathname} HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n`);
  const started = performance.now();
  const deadline = started + load.seconds * 1000;
  let count = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let received = "";
      void Bun.connect({
        hostname,
        port: Number(port),
        socket: {
          open: (socket) => {
            socket.write(request);
          },
          data: (socket, chunk) => {
            received += chunk.toString("latin1");
            if (!received.endsWith("\r\n\r\n")) return;
            if (!received.startsWith("HTTP/1.1 200")) {
              reject(new Error(`HEAD ${load.url}: ${received}`));
              socket.end();
              return;
            }
            received = "";
            count += 1;
            if (performance.now() > deadline) socket.end();
            else socket.write(request);
          },
          close: () => resolve(),
          error: (_, cause) => reject(cause),
          connectError: (_, cause) => reject(cause),
        },
      }).catch(reject);
    });
  await Promise.all(Array.from({ length: load.connections }, one));
  return count / ((performance.now() - started) / 1000);
}
