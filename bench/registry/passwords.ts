import { startDistribution } from "../../test/support/distribution.ts";
import { findProgram } from "../../test/support/programs.ts";
import type { Scratch } from "../../test/support/scratch.ts";
import { basic } from "../../test/support/wharf-process.ts";
import { type Content, pushContent } from "./content.ts";
import { measureRequests } from "./request-load.ts";
import { atLeast, measureInterleaved, type Row } from "./row.ts";
import { type BenchServer, type Settings, smallRepository } from "./server.ts";
import type { WharfServer } from "./start-servers.ts";

/** A name and a secret with every request: a robot's secret here, bcrypt of cost 10 at the peer. */
export async function measurePasswords(options: {
  readonly scratch: Scratch;
  readonly settings: Settings;
  readonly wharf: WharfServer;
  readonly content: Content;
}): Promise<Row[]> {
  const { scratch, settings, wharf, content } = options;
  const servers: BenchServer[] = [{ ...wharf, authorize: () => Promise.resolve(basic(wharf.robot)) }];
  if (findProgram("registry") !== undefined && findProgram("htpasswd") !== undefined) {
    const user = { username: "bench", secret: crypto.randomUUID() };
    const peer = await startDistribution(scratch, { users: { [user.username]: user.secret } });
    const target = { url: `http://${peer.host}`, authorization: basic(user) };
    await pushContent(target, content);
    servers.push({
      name: "distribution",
      url: target.url,
      pid: peer.pid,
      target,
      authorize: () => Promise.resolve(target.authorization),
      stop: () => peer.stop(),
    });
  }
  try {
    const samples = await measureInterleaved(servers, settings, async (server) => {
      const rate = await measureRequests(scratch, {
        url: `${server.url}/v2/${smallRepository}/manifests/${content.image.manifestDigest}`,
        connections: 32,
        authorization: await server.authorize(smallRepository),
        // The peer does a dozen in a second.
        seconds: Math.max(5, settings.seconds),
      });
      return { value: rate.perSecond };
    });
    return [
      {
        work: "manifest GET with name and secret each time, 32 connections",
        unit: "requests/s",
        decimals: 0,
        goal: "≥ 500 × Distribution",
        samples,
        verdict: atLeast(samples, "distribution", 500),
      },
    ];
  } finally {
    for (const server of servers) if (server.name === "distribution") await server.stop();
  }
}
