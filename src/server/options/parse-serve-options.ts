import { resolve } from "node:path";
import { AppError, type LogLevel } from "#core";
import { isLoopbackHost } from "#system";
import { type ListenAddress, parseListenAddress } from "./listen-address.ts";
import { type NetworkList, parseNetworkList } from "./network-list.ts";
import { serveOptions } from "./serve-options.ts";

/** How the server speaks TLS. */
export type TlsOptions =
  | { readonly kind: "none" }
  | { readonly kind: "auto" }
  | { readonly kind: "files"; readonly certFile: string; readonly keyFile: string };

/** Everything that a server is started with. Paths are absolute. */
export interface ServeOptions {
  readonly dataDir: string;
  readonly listen: ListenAddress;
  /** Origin (`https://host[:port]`) that clients call; undefined: whatever they called. */
  readonly publicUrl: string | undefined;
  readonly tls: TlsOptions;
  readonly adminPasswordFile: string | undefined;
  readonly behindProxy: NetworkList;
  /** Plain HTTP is served to everybody, not to this machine and trusted proxies alone. */
  readonly insecureHttp: boolean;
  readonly metrics: "local" | "admin" | "everybody";
  readonly logLevel: LogLevel;
  readonly logFormat: "auto" | "human" | "json";
  readonly stopSeconds: number;
  readonly stallSeconds: number;
}

/** Values as said, by option name; of the command line laid over those of the file. */
export type ServeValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/**
 * Options from what was said, defaults filled in. Throws USAGE for values that do not go together, INVALID_INPUT for one that is
 * malformed, INSECURE_LISTEN for plain HTTP beyond this machine that nobody asked for.
 */
export function parseServeOptions(values: ServeValues, cwd: string): ServeOptions {
  const text = (name: string): string | undefined => {
    const value = values[name] ?? serveOptions.find((option) => option.name === name)?.default;
    return typeof value === "string" ? value : undefined;
  };
  const path = (name: string): string | undefined => {
    const value = text(name);
    if (value === "") throw new AppError("USAGE", `--${name} needs a path`);
    return value === undefined ? undefined : resolve(cwd, value);
  };
  const listen = parseListenAddress(text("listen") ?? "");
  const tls = parseTls(text("tls"), path("tls-cert"), path("tls-key"));
  const behindProxy = parseNetworkList(list(values["behind-proxy"]));
  if (
    tls.kind === "none" &&
    !isLoopbackHost(listen.host) &&
    values["insecure-http"] !== true &&
    behindProxy.size === 0
  )
    throw new AppError(
      "INSECURE_LISTEN",
      `listening on ${listen.host} without TLS would send every password in the clear`,
      {
        hint: "add --tls auto, or --tls-cert and --tls-key; or --behind-proxy CIDR when a proxy in front speaks TLS; or --insecure-http to take the risk",
      },
    );
  return {
    dataDir: path("data") ?? resolve(cwd, "wharf-data"),
    listen,
    publicUrl: parsePublicUrl(text("url")),
    tls,
    adminPasswordFile: path("admin-password-file"),
    behindProxy,
    insecureHttp: values["insecure-http"] === true,
    metrics: choice("metrics", text("metrics"), ["local", "admin", "everybody"]),
    logLevel: choice("log-level", text("log-level"), ["debug", "info", "warn", "error"]),
    logFormat: choice("log-format", text("log-format"), ["auto", "human", "json"]),
    stopSeconds: seconds("stop-seconds", text("stop-seconds"), 0),
    stallSeconds: seconds("stall-seconds", text("stall-seconds"), 1),
  };
}

function parseTls(
  tls: string | undefined,
  certFile: string | undefined,
  keyFile: string | undefined,
): TlsOptions {
  if (tls !== undefined) {
    choice("tls", tls, ["auto"]);
    if (certFile !== undefined || keyFile !== undefined)
      throw new AppError(
        "USAGE",
        "--tls auto makes its own certificate, so --tls-cert and --tls-key have no use",
        {
          hint: "say one or the other",
        },
      );
    return { kind: "auto" };
  }
  if (certFile === undefined && keyFile === undefined) return { kind: "none" };
  if (certFile === undefined || keyFile === undefined)
    throw new AppError("USAGE", "--tls-cert and --tls-key go together", {
      hint: "give the other one as well",
    });
  return { kind: "files", certFile, keyFile };
}

/** The origin of an http(s) URL without path, query or user; undefined for undefined. Throws INVALID_INPUT. */
function parsePublicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const isOrigin =
    url !== null &&
    (url.protocol === "https:" || url.protocol === "http:") &&
    url.pathname === "/" &&
    `${url.search}${url.hash}${url.username}${url.password}` === "";
  if (!isOrigin)
    throw new AppError(
      "INVALID_INPUT",
      `${JSON.stringify(text.slice(0, 200))} is not what a registry can be called by`,
      {
        hint: "use https://HOST or https://HOST:PORT, without a path: registries live at the root of a host",
      },
    );
  return url.origin;
}

function choice<T extends string>(name: string, value: string | undefined, choices: readonly T[]): T {
  const found = choices.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new AppError("USAGE", `--${name} does not take ${JSON.stringify((value ?? "").slice(0, 100))}`, {
    hint: `use ${choices.join(" or ")}`,
  });
}

function seconds(name: string, value: string | undefined, least: number): number {
  const number = /^\d{1,6}$/.test(value ?? "") ? Number(value) : Number.NaN;
  if (number >= least) return number;
  throw new AppError("USAGE", `--${name} takes a whole number of seconds, at least ${least}`);
}

function list(value: ServeValues[string]): readonly string[] {
  if (value === undefined || typeof value === "boolean") return [];
  return (typeof value === "string" ? [value] : value).flatMap((entry) => entry.split(","));
}
