import { ptr } from "bun:ffi";
import { readdirSync, readlinkSync } from "node:fs";
import { openLibc } from "./open-libc.ts";

/** A TCP connection of this process, and how much has moved on it. */
export interface SocketProgress {
  readonly fd: number;
  /** Names the connection for as long as it lives; a descriptor's number is used again. */
  readonly id: string;
  /** Bytes that the other side has acknowledged, and bytes received from it. */
  readonly ackedBytes: number;
  readonly receivedBytes: number;
}

/** Sees and cuts this process's own TCP connections, below what Bun shows of them. */
export interface SocketWatch {
  /** Every established or closing connection accepted on `port`. */
  connections(port: number): SocketProgress[];
  /** Shuts both directions down: whoever holds the connection sees it end. */
  cut(socket: SocketProgress): void;
}

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_LISTEN = 10;
const SHUT_RDWR = 2;
const AF_INET = 2;
const AF_INET6 = 10;
// struct tcp_info of linux/tcp.h: tcpi_bytes_acked and tcpi_bytes_received (since 4.1).
const BYTES_ACKED_AT = 120;
const BYTES_RECEIVED_AT = 128;

/** undefined where this cannot be had: not Linux, or no C library of a known name. */
export function createSocketWatch(): SocketWatch | undefined {
  const library = openLibrary();
  if (library === undefined) return undefined;
  const { getsockname, getsockopt, shutdown } = library.symbols;
  const address = new Uint8Array(128);
  const info = new Uint8Array(256);
  const infoView = new DataView(info.buffer);
  const length = new Uint32Array(1);

  /** The descriptor's local port; undefined when it is no TCP/IP socket. */
  const localPort = (fd: number): number | undefined => {
    length[0] = address.length;
    if (getsockname(fd, ptr(address), ptr(length)) !== 0) return undefined;
    const family = new DataView(address.buffer).getUint16(0, true);
    if (family !== AF_INET && family !== AF_INET6) return undefined;
    return new DataView(address.buffer).getUint16(2, false);
  };
  return {
    connections(port) {
      const found: SocketProgress[] = [];
      for (const name of readdirSync("/proc/self/fd")) {
        const fd = Number(name);
        if (localPort(fd) !== port) continue;
        length[0] = info.length;
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, ptr(info), ptr(length)) !== 0) continue;
        if (info[0] === TCP_LISTEN || (length[0] ?? 0) < BYTES_RECEIVED_AT + 8) continue;
        found.push({
          fd,
          id: linkOf(name),
          ackedBytes: Number(infoView.getBigUint64(BYTES_ACKED_AT, true)),
          receivedBytes: Number(infoView.getBigUint64(BYTES_RECEIVED_AT, true)),
        });
      }
      return found;
    },
    cut(socket) {
      // The descriptor may have become another since it was seen.
      if (linkOf(String(socket.fd)) === socket.id) shutdown(socket.fd, SHUT_RDWR);
    },
  };
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // Closed between listing and looking (the listing's own descriptor always is): nothing there.
    return "";
  }
}

function openLibrary() {
  return openLibc({
    getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
    getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
    shutdown: { args: ["i32", "i32"], returns: "i32" },
  });
}
