import { isIP } from "node:net";
import { AppError } from "#core";

/** Where to listen. `host` is a name or an address without brackets; port 0 lets the machine choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT`, `[IPV6]:PORT`, `:PORT` (every address) or `PORT` (this machine alone). Throws INVALID_INPUT. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9.*-]{0,253})):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (match === null || port > 65_535 || (match[1] !== undefined && isIP(match[1]) !== 6))
    throw new AppError(
      "INVALID_INPUT",
      `${JSON.stringify(text.slice(0, 100))} is not an address to listen on`,
      {
        hint: "use HOST:PORT, such as 127.0.0.1:5000, 0.0.0.0:443 or [::1]:5000",
      },
    );
  if (host === undefined) return { host: "127.0.0.1", port };
  return { host: host === "" || host === "*" ? "::" : host, port };
}

/** `host:port` with brackets where the host is an IPv6 address. */
export function renderHostPort(address: ListenAddress): string {
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

/** True for an address that stands for all of the machine's own. */
export function isWildcard(host: string): boolean {
  return host === "::" || host === "0.0.0.0";
}
