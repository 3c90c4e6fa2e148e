import { resolve } from "node:path";
import { AppError } from "#core";
import type { WatchFigures } from "#delivery";
import type { Command, Invocation } from "../command.ts";
import { chosenDeliveryOf, surroundingsOf } from "../delivery-surroundings.ts";

const RESYNC_MS = 10 * 60_000;

export const watch: Command = {
  path: ["watch"],
  doing: "watching",
  summary: "keep a cluster as wharf.yaml says: new namespaces, drift, changed secrets",
  description:
    "Runs until it is stopped. Namespaces and ServiceAccounts that come are served as they appear, what somebody changes or deletes is mended, and wharf.yaml and the vault are read anew when they change; everything is looked at again every ten minutes. It writes what `wharf apply` would write, and Events beside Secrets whose login ends within two weeks or has ended.\n\nSeveral may run: one of them holds a Lease and works, and another takes over when it goes. Nobody can be asked for a passphrase: the vault must be sealed for a key. --listen serves /healthz, /readyz and /metrics (Prometheus) without a login, and nothing secret.",
  examples: [
    { command: "wharf watch --at k8s://prod", says: "this cluster, until Ctrl-C" },
    {
      command: "wharf watch --at k8s:// --lease wharf-system/wharf-watch --listen 0.0.0.0:9090",
      says: "in a pod, as its ServiceAccount",
    },
  ],
  options: [
    { flag: "--at <place>", summary: "the cluster, as in wharf.yaml; may be left out where there is one" },
    {
      flag: "--lease <name>",
      summary: "the Lease that decides who works: NAME, or NAMESPACE/NAME",
      default: "wharf-watch",
    },
    {
      flag: "--work <folder>",
      summary:
        "copy wharf.yaml, vault and `key` there, since where they lie is read-only; the state is kept in the Secret LEASE-state",
    },
    { flag: "--listen <host:port>", summary: "serve /healthz, /readyz and /metrics there" },
  ],
  async run(invocation) {
    const { terminal } = invocation;
    const { configStamp, createWatchFigures, renderWatchFigures, watchPlace } = await import("#delivery");
    const { createLogger, nameProcess, servePlain, systemClock } = await import("#system");
    nameProcess("wharf");
    const log = createLogger({
      level: "info",
      format: invocation.json || !terminal.isOutTerminal ? "json" : "human",
      clock: systemClock,
      write: (line) => terminal.err(line),
    });
    const context = { ...invocation.context, log };
    const held = await heldToOneCluster({ ...invocation, context });
    const figures = createWatchFigures();
    const listen = invocation.options["listen"];
    const server =
      typeof listen === "string"
        ? servePlain(await listenAddress(listen), {
            "/healthz": () => ({ status: 200, text: "ok\n" }),
            "/readyz": () => readiness(figures),
            "/metrics": () => ({ status: 200, text: renderWatchFigures(figures) }),
          })
        : undefined;
    if (invocation.json)
      terminal.out(`${JSON.stringify({ at: held.at, address: server?.address ?? null })}\n`);
    else
      terminal.err(
        `watching ${held.at}${server === undefined ? "" : `, figures at http://${server.address}/metrics`}\n`,
      );
    try {
      await watchPlace(context, {
        open: async () => await chosenDeliveryOf(await atWork(held.invocation), true),
        stamp: () => configStamp(held.path),
        lease: leaseOf(String(invocation.options["lease"])),
        keepsState: typeof invocation.options["work"] === "string",
        figures,
        resyncMs: RESYNC_MS,
        now: () => new Date(),
      });
    } finally {
      await server?.stop();
    }
    return 0;
  },
};

/** The invocation held to one cluster: that of --at, or the only one that wharf.yaml names. */
async function heldToOneCluster(
  invocation: Invocation,
): Promise<{ readonly invocation: Invocation; readonly at: string; readonly path: string }> {
  // Nobody sits before a controller, whatever it was started from.
  const alone: Invocation = { ...invocation, terminal: { ...invocation.terminal, isInTerminal: false } };
  const input = await chosenDeliveryOf(await atWork(alone), true);
  const places = [...new Set(input.config.deliveries.map(({ at }) => at.text))];
  const clusters = places.filter((text) => text.startsWith("k8s://"));
  const said = invocation.options["at"];
  const at = typeof said === "string" ? said : clusters.length === 1 ? clusters[0] : undefined;
  if (at === undefined)
    throw new AppError(
      "USAGE",
      clusters.length === 0 ? "wharf.yaml delivers to no cluster" : "wharf.yaml delivers to several clusters",
      {
        hint:
          clusters.length === 0
            ? "write one: at: k8s://CONTEXT"
            : `name one: --at ${clusters.join(", or --at ")}`,
      },
    );
  const { findConfig } = await import("#logins");
  const { path } = await findConfig(surroundingsOf(alone), alone.configFile);
  return { invocation: { ...alone, options: { ...alone.options, at } }, at, path };
}

/** With --work: the configuration as it is now, copied there. */
async function atWork(invocation: Invocation): Promise<Invocation> {
  const work = invocation.options["work"];
  if (typeof work !== "string") return invocation;
  const { copyToWork } = await import("#delivery");
  const { readConfig } = await import("#logins");
  const config = await readConfig(surroundingsOf(invocation), invocation.configFile);
  const { configPath, keyFile } = await copyToWork(config, resolve(invocation.cwd, work));
  const env = keyFile === undefined ? invocation.env : { ...invocation.env, WHARF_KEY_FILE: keyFile };
  return { ...invocation, configFile: configPath, env };
}

async function listenAddress(text: string): Promise<{ readonly hostname: string; readonly port: number }> {
  const { parseListenAddress } = await import("#server/options");
  const { host, port } = parseListenAddress(text);
  return { hostname: host, port };
}

function leaseOf(text: string): {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly holder: string;
} {
  const match =
    /^(?:([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/)?([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/.exec(text);
  const name = match?.[2];
  if (name === undefined)
    throw new AppError("USAGE", "--lease is not NAME or NAMESPACE/NAME", { hint: "--lease wharf-watch" });
  return { namespace: match?.[1], name, holder: `wharf-${crypto.randomUUID()}` };
}

/** Another that waits for the Lease is as ready as it can be. */
function readiness(figures: WatchFigures): { readonly status: number; readonly text: string } {
  if (!figures.isLeading) return { status: 200, text: "waiting for the lease\n" };
  if (figures.lastGoodAt === undefined) return { status: 503, text: "nothing is delivered yet\n" };
  return figures.failing ? { status: 503, text: "the last look failed\n" } : { status: 200, text: "ok\n" };
}
