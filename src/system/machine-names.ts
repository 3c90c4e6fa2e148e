import { hostname, networkInterfaces } from "node:os";

/** What others may call this machine: its host name and the addresses of its interfaces, loopback and link-local ones left out. */
export function readMachineNames(): { readonly hostname: string; readonly addresses: readonly string[] } {
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter((entry) => !entry.internal && !entry.address.startsWith("fe80:"))
    .map((entry) => entry.address);
  return { hostname: hostname(), addresses: [...new Set(addresses)] };
}
