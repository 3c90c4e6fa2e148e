import type { Peer } from "#registry";
import { type NetworkList, plainAddress } from "./options/network-list.ts";

/** The part of Bun's server that knows who is at the other end. */
export interface AddressSource {
  requestIP(request: Request): { readonly address: string } | null;
}

/** A peer that nothing stands before; its address is asked for only when somebody wants it. */
export class DirectPeer implements Peer {
  readonly #source: AddressSource;
  readonly #request: Request;
  readonly secure: boolean;

  constructor(source: AddressSource, request: Request, secure: boolean) {
    this.#source = source;
    this.#request = request;
    this.secure = secure;
  }

  /** Empty when the client has gone meanwhile. */
  get address(): string {
    return plainAddress(this.#source.requestIP(this.#request)?.address ?? "");
  }
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
const MAX_HOPS = 32;

/**
 * The peer of a request that may have come through proxies. Forwarded headers are believed only when the connection itself comes from
 * a trusted network; the client is then the last address of X-Forwarded-For that is not a trusted proxy, so that a client
 * cannot choose its own by sending the header itself. A proxy that does not say which host was called may have put its own name for
 * us into Host: then it was `publicUrl`, where that is known.
 */
export function readForwardedPeer(
  direct: Peer,
  headers: Headers,
  trusted: NetworkList,
  publicUrl: string | undefined,
): Peer {
  const { address } = direct;
  if (!trusted.has(address)) return { address, secure: direct.secure };
  const proto = lastOf(headers.get("x-forwarded-proto"))?.toLowerCase();
  const secure = proto === undefined ? direct.secure : proto === "https";
  const host = lastOf(headers.get("x-forwarded-host"));
  const origin = host !== undefined && HOST.test(host) ? `${secure ? "https" : "http"}://${host}` : publicUrl;
  return {
    address: clientAddress(headers.get("x-forwarded-for"), address, trusted),
    secure,
    ...(origin === undefined ? {} : { origin }),
  };
}

function clientAddress(forwardedFor: string | null, proxy: string, trusted: NetworkList): string {
  const hops = (forwardedFor ?? "").split(",").slice(-MAX_HOPS);
  let client = proxy;
  for (let index = hops.length - 1; index >= 0; index--) {
    const hop = plainAddress(withoutPort(hops[index]?.trim() ?? ""));
    // What is no address was not written by a proxy of ours.
    if (!ADDRESS.test(hop)) return client;
    client = hop;
    if (!trusted.has(hop)) return client;
  }
  return client;
}

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]+)$/;

/** Some proxies add the client's port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(text: string): string {
  const match = /^\[([^\]]+)\](?::\d+)?$|^(\d[\d.]*):\d+$/.exec(text);
  return match?.[1] ?? match?.[2] ?? text;
}

/** Of several values the one that the nearest proxy wrote. */
function lastOf(value: string | null): string | undefined {
  const last = value?.split(",").at(-1)?.trim();
  return last === "" ? undefined : last;
}
