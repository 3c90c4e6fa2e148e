import { resolve } from "node:path";
import { AppError } from "#core";
import { type ServeOptions, type ServeValues, serveOptions } from "#server/options";
import type { Command, Invocation } from "../command.ts";

/** Far above any sensible configuration file. */
const MAX_CONFIG_BYTES = 256 * 1024;

export const serve: Command = {
  path: ["serve"],
  doing: "starting the registry",
  summary: "start the registry",
  description:
    "Needs nothing: SQLite and a folder. The first start makes the user admin, with a random password in a file of mode 0600. Access control is on from the first request. -c FILE reads the same options from a YAML file; what is said on the command line wins.\n\nSeveral servers may serve the same data folder on one machine, each on its own port. SIGTERM or Ctrl-C lets requests finish; a second one does not wait. SIGHUP reads the certificate files again.",
  examples: [
    { command: "wharf serve", says: "a registry for this machine, data in ./wharf-data" },
    {
      command: "wharf serve --data /srv/wharf --listen :443 --url https://registry.example.org --tls auto",
      says: "for others, with a certificate from its own CA",
    },
    {
      command: "wharf serve --listen 0.0.0.0:5000 --behind-proxy 10.0.0.0/8",
      says: "behind a proxy that speaks TLS",
    },
  ],
  options: serveOptions.map(({ name, value, summary, default: fallback, repeatable, choices }) => ({
    flag: value === undefined ? `--${name}` : `--${name} ${value}`,
    // Not as the option's default: what was not said must not win over the file.
    summary: fallback === undefined ? summary : `${summary} (if not said: ${fallback})`,
    ...(repeatable === undefined ? {} : { repeatable }),
    ...(choices === undefined ? {} : { choices }),
  })),
  async run(invocation) {
    const { terminal, context } = invocation;
    const { parseServeOptions } = await import("#server/options");
    const { createLogger, nameProcess, onHangup, systemClock } = await import("#system");
    const { renderStarted, startServer } = await import("#server");
    nameProcess("wharf");
    const options = parseServeOptions(await readValues(invocation), invocation.cwd);
    const log = createLogger({
      level: options.logLevel,
      format: logFormat(options, invocation),
      clock: systemClock,
      write: (line) => terminal.err(line),
    });
    const server = await startServer(options, { log, clock: systemClock });
    if (invocation.json) {
      const { address, url, admin, caFingerprint } = server;
      terminal.out(`${JSON.stringify({ address, url, dataDir: options.dataDir, admin, caFingerprint })}\n`);
    } else terminal.out(renderStarted(server, options, invocation));

    // Elsewhere SIGHUP keeps its meaning: the terminal has gone, or nohup says that this is nothing.
    const forget =
      options.tls.kind === "files" ? onHangup(() => void server.reloadTls()) : (): void => undefined;
    await new Promise<void>((done) => {
      if (context.signal.aborted) done();
      context.signal.addEventListener("abort", () => done(), { once: true });
    });
    forget();
    await server.stop();
    return 0;
  },
};

function logFormat(options: ServeOptions, { terminal }: Invocation): "human" | "json" {
  if (options.logFormat !== "auto") return options.logFormat;
  return terminal.isOutTerminal ? "human" : "json";
}

/** The file's values with those of the command line over them. */
async function readValues(invocation: Invocation): Promise<ServeValues> {
  const said: Record<string, string | boolean | readonly string[]> = {};
  for (const { name } of serveOptions) {
    const value = invocation.options[name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    if (value !== undefined) said[name] = value;
  }
  if (invocation.configFile === undefined) return said;
  const { readTextLimited } = await import("#system");
  const { parseServeConfig } = await import("#server/options");
  const file = resolve(invocation.cwd, invocation.configFile);
  const text = await readTextLimited(file, MAX_CONFIG_BYTES);
  if (text === undefined) throw new AppError("CONFIG_NOT_FOUND", `there is no file ${file}`);
  return { ...(await parseServeConfig(text, file)), ...said };
}
