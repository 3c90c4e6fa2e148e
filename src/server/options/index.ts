/** What `wharf serve` can be told, as data, and how it is read. Light: loads nothing of the server itself. */

export { type ListenAddress, parseListenAddress, renderHostPort } from "./listen-address.ts";
export { type NetworkList, parseNetworkList } from "./network-list.ts";
export { parseServeConfig } from "./parse-serve-config.ts";
export {
  parseServeOptions,
  type ServeOptions,
  type ServeValues,
  type TlsOptions,
} from "./parse-serve-options.ts";
export { type ServeOption, serveOptions } from "./serve-options.ts";
