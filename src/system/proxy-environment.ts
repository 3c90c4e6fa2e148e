import type Net from "node:net";
import { AppError } from "#core";

/** The variables that name a proxy. Go's and curl's meaning: what docker and containerd do with them, we do too. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL (`http://[user:password@]host:port`), by HTTP_PROXY, HTTPS_PROXY and NO_PROXY in either case;
 * undefined for a direct connection. This machine itself is always direct.
 * Throws CONFIG_INVALID where the variable is not a URL that we can use; its value, which may hold a password, is not repeated.
 */
export function chooseProxy(url: URL, environment: ProxyEnvironment): string | undefined {
  const variable = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const value = (environment[variable] || environment[variable.toLowerCase()])?.trim();
  if (value === undefined || value === "") return undefined;
  if (isLoopbackHost(url.hostname)) return undefined;
  if (isExcluded(url, environment.NO_PROXY || environment.no_proxy || "")) return undefined;
  const proxy = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  if (proxy === null || (proxy.protocol !== "http:" && proxy.protocol !== "https:")) {
    throw new AppError("CONFIG_INVALID", `${variable} is not the http:// URL of a proxy`, {
      hint: "write http://host:port",
    });
  }
  return proxy.href;
}

/** True for names and addresses of this machine: localhost and its subdomains, 127.0.0.0/8, ::1. Brackets are allowed. */
export function isLoopbackHost(hostname: string): boolean {
  const host = bare(hostname).toLowerCase();
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  const { BlockList, isIP } = net();
  const version = isIP(host);
  if (version === 0) return false;
  const loopback = new BlockList();
  loopback.addSubnet("127.0.0.0", 8, "ipv4");
  loopback.addAddress("::1", "ipv6");
  return loopback.check(host, version === 6 ? "ipv6" : "ipv4");
}

/** NO_PROXY: `*`, `host` (and below), `.domain` (below only), addresses, CIDR blocks, each but the blocks with `:port` or not. */
function isExcluded(url: URL, list: string): boolean {
  const host = bare(url.hostname).toLowerCase();
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== "" && matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const { isIP } = net();
  const version = isIP(host);
  if (entry.includes("/")) return version !== 0 && isInBlock(entry, host, version);
  const [name, entryPort] = splitPort(entry);
  if (entryPort !== undefined && entryPort !== port) return false;
  if (isIP(name) !== 0)
    return version !== 0 && isInBlock(`${name}/${name.includes(":") ? 128 : 32}`, host, version);
  const domain = name.startsWith("*.") ? name.slice(1) : name;
  if (domain.startsWith(".")) return host.endsWith(domain);
  return host === domain || host.endsWith(`.${domain}`);
}

function isInBlock(block: string, host: string, version: number): boolean {
  const slash = block.indexOf("/");
  const network = bare(block.slice(0, slash));
  const prefix = Number(block.slice(slash + 1));
  const { BlockList, isIP } = net();
  const family = isIP(network);
  if (family !== version || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 6 ? 128 : 32)) {
    return false;
  }
  const list = new BlockList();
  list.addSubnet(network, prefix, family === 6 ? "ipv6" : "ipv4");
  return list.check(host, family === 6 ? "ipv6" : "ipv4");
}

/** Loaded when it is first asked for: it would be a tenth of what a credential helper does, which asks nobody. */
function net(): Pick<typeof Net, "BlockList" | "isIP"> {
  return process.getBuiltinModule("node:net");
}

function splitPort(entry: string): [string, string | undefined] {
  const match = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry);
  return match === null ? [bare(entry), undefined] : [bare(match[1] ?? ""), match[2]];
}

function bare(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}
