/** What is not the public internet (IANA's special-purpose registries): this machine, private and link-local networks, clouds' metadata. */
const PRIVATE: readonly (readonly [string, number, "ipv4" | "ipv6"])[] = [
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["224.0.0.0", 3, "ipv4"],
  ["::", 128, "ipv6"],
  ["::1", 128, "ipv6"],
  ["64:ff9b::", 96, "ipv6"],
  ["fc00::", 7, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
];

/**
 * Is a host (name or address, brackets allowed) on the public internet, by each of its addresses. A name that has none here may have one where
 * a proxy looks: it is taken by its form then (no single word, nothing under `.local`, `.internal`, `.localhost`).
 */
export async function isPublicHost(hostname: string): Promise<boolean> {
  // Loaded when somebody asks: hardly anybody does.
  const { isIP } = process.getBuiltinModule("node:net");
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (isIP(host) !== 0) return !isPrivate(host);
  if (!host.includes(".") || /\.(local|internal|localhost|localdomain|home\.arpa)\.?$/.test(host))
    return false;
  const found = await process
    .getBuiltinModule("node:dns")
    .promises.lookup(host, { all: true })
    .catch(() => []);
  return found.every(({ address }) => !isPrivate(address));
}

function isPrivate(address: string): boolean {
  const { BlockList, isIP } = process.getBuiltinModule("node:net");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  // In hexadecimal the same: nobody public writes an IPv4 address that way.
  if (mapped === undefined && /^::ffff:/i.test(address)) return true;
  const plain = mapped ?? address;
  const list = new BlockList();
  for (const [network, prefix, family] of PRIVATE) list.addSubnet(network, prefix, family);
  return list.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
}
