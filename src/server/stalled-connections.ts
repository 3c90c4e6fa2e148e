import type { Clock, SocketProgress, SocketWatch } from "#system";

/** In one period a connection must move so much, or both ask and be answered. A byte now and then holds no place. */
const LEAST_BYTES = 4096;

interface Seen {
  readonly since: number;
  readonly socket: SocketProgress;
}

/**
 * Finds connections on which nothing moved for `stallSeconds`: clients that stopped reading or sending, and kept-alive ones that are not
 * used. Each call looks once and cuts what it finds; gives how many. Never throws for one that closed meanwhile.
 */
export function createStallSweep(
  watch: SocketWatch,
  clock: Clock,
  stallSeconds: number,
): (port: number) => number {
  let known = new Map<string, Seen>();
  return (port) => {
    const now = clock.monotonicMs();
    const next = new Map<string, Seen>();
    let cut = 0;
    for (const socket of watch.connections(port)) {
      const before = known.get(socket.id);
      if (before === undefined || hasMoved(before.socket, socket))
        next.set(socket.id, { since: now, socket });
      else if (now - before.since < stallSeconds * 1000) next.set(socket.id, before);
      else {
        watch.cut(socket);
        cut++;
      }
    }
    known = next;
    return cut;
  };
}

function hasMoved(before: SocketProgress, after: SocketProgress): boolean {
  const sent = after.ackedBytes - before.ackedBytes;
  const received = after.receivedBytes - before.receivedBytes;
  return sent + received >= LEAST_BYTES || (sent > 0 && received > 0);
}
