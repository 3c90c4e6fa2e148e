import { BlockList, isIP } from "node:net";
import { AppError } from "#core";

/** A set of networks, asked whether it holds an address. */
export interface NetworkList {
  readonly size: number;
  has(address: string): boolean;
}

/** Networks as `10.0.0.0/8`, `fd00::/8` or a single address. Throws INVALID_INPUT, naming the one that is wrong. */
export function parseNetworkList(texts: readonly string[]): NetworkList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = "", prefix, ...rest] = text.trim().split("/");
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
    const isPrefix = prefix === undefined || /^\d{1,3}$/.test(prefix);
    if (family === 0 || rest.length > 0 || !isPrefix || bits > (family === 6 ? 128 : 32))
      throw new AppError("INVALID_INPUT", `${JSON.stringify(text.slice(0, 100))} is not a network`, {
        hint: "use CIDR notation, such as 10.0.0.0/8 or fd00::/8",
      });
    list.addSubnet(address, bits, family === 6 ? "ipv6" : "ipv4");
  }
  return {
    size: texts.length,
    has: (address) => {
      const family = isIP(address);
      return family !== 0 && list.check(address, family === 6 ? "ipv6" : "ipv4");
    },
  };
}

/** An address as people write it: an IPv4 address that came over an IPv6 socket without its prefix, no zone. */
export function plainAddress(address: string): string {
  const plain = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
  const zone = plain.indexOf("%");
  return zone === -1 ? plain : plain.slice(0, zone);
}
