/** One option of `wharf serve`: on the command line `--name`, in its configuration file `name:`. */
export interface ServeOption {
  readonly name: string;
  /** What the value is, for help ("<dir>"); undefined for a switch. */
  readonly value?: string;
  readonly summary: string;
  readonly default?: string;
  readonly repeatable?: boolean;
  readonly choices?: readonly string[];
}

/** Every option of the server. Command line, configuration file and reference are made from this one list. */
export const serveOptions: readonly ServeOption[] = [
  { name: "data", value: "<dir>", summary: "folder that holds everything (0700)", default: "./wharf-data" },
  {
    name: "listen",
    value: "<host:port>",
    summary: "where to listen; port 0 lets the machine choose",
    default: "127.0.0.1:5000",
  },
  {
    name: "url",
    value: "<url>",
    summary: "what clients call this registry, such as https://registry.example.org",
  },
  {
    name: "tls",
    value: "<auto>",
    summary: "make a certificate from an own CA in the data folder",
    choices: ["auto"],
  },
  {
    name: "tls-cert",
    value: "<file>",
    summary: "certificate chain, PEM; read again when it changes or at SIGHUP",
  },
  { name: "tls-key", value: "<file>", summary: "private key of the certificate, PEM" },
  {
    name: "admin-password-file",
    value: "<file>",
    summary: "first start only: password of the first admin instead of a random one",
  },
  {
    name: "insecure-http",
    summary: "allow plain HTTP beyond this machine: every password can be read on the way",
  },
  {
    name: "behind-proxy",
    value: "<cidr>",
    summary: "believe X-Forwarded-For, -Proto and -Host from these networks, and serve them plain HTTP",
    repeatable: true,
  },
  {
    name: "metrics",
    value: "<who>",
    summary: "who may read /metrics: the admin, and this machine or everybody",
    default: "local",
    choices: ["local", "admin", "everybody"],
  },
  {
    name: "log-level",
    value: "<level>",
    summary: "least level to log; debug logs every request",
    default: "info",
    choices: ["debug", "info", "warn", "error"],
  },
  {
    name: "log-format",
    value: "<format>",
    summary: "form of the log; auto is human at a terminal, json elsewhere",
    default: "auto",
    choices: ["auto", "human", "json"],
  },
  { name: "stop-seconds", value: "<n>", summary: "how long requests may go on after SIGTERM", default: "25" },
  {
    name: "stall-seconds",
    value: "<n>",
    summary: "cut a connection on which nothing moved for so long",
    default: "300",
  },
];
