import { startDistribution } from "../../test/support/distribution.ts";
import { findProgram } from "../../test/support/programs.ts";
import type { Scratch } from "../../test/support/scratch.ts";
import {
  basic,
  type Credentials,
  createProjectRobot,
  startWharf,
  type WharfProcess,
} from "../../test/support/wharf-process.ts";
import type { TlsFiles } from "./certificate.ts";
import { type Content, writeContent } from "./content.ts";
import { startNginx } from "./nginx.ts";
import { type BenchServer, project } from "./server.ts";

export interface StartOptions {
  /** The folder of their data; one for each set of servers. */
  readonly scratch: Scratch;
  /** How our executable is called. */
  readonly wharf: readonly string[];
  readonly content: Content;
  readonly tls?: TlsFiles;
}

/** Ours as shipped; it asks for a token as clients do. */
export interface WharfServer extends BenchServer {
  readonly process: WharfProcess;
  readonly robot: Credentials;
}

/** Starts ours, Distribution and nginx; nginx has the content, the others are still to be given it. A peer that is not on this machine is left out, and said. */
export async function startServers(options: StartOptions): Promise<{
  readonly wharf: WharfServer;
  readonly all: readonly BenchServer[];
}> {
  const wharf = await startOurs(options);
  const all: BenchServer[] = [wharf];
  try {
    if (findProgram("registry") === undefined) leaveOut("distribution");
    else all.push(await startPeer(options));
    if (findProgram("nginx") === undefined) leaveOut("nginx");
    else all.push(await startFileServer(options));
    return { wharf, all };
  } catch (cause) {
    await Promise.all(all.map((server) => server.stop()));
    throw cause;
  }
}

async function startOurs({ scratch, wharf, tls }: StartOptions): Promise<WharfServer> {
  const process = await startWharf(scratch, {
    command: wharf,
    tls: tls !== undefined,
    args: tls === undefined ? [] : ["--tls-cert", tls.certificate, "--tls-key", tls.key],
  });
  const robot = await createProjectRobot(process.admin, project, ["pull", "push", "delete"]);
  const target = { url: process.url, authorization: basic(robot) };
  return {
    name: "wharf",
    url: process.url,
    pid: process.pid,
    process,
    robot,
    target,
    authorize: (repository) => fetchToken(process.url, robot, repository),
    stop: async () => {
      await process.stop();
    },
  };
}

async function startPeer({ scratch, tls }: StartOptions): Promise<BenchServer> {
  const peer = await startDistribution(scratch, tls === undefined ? {} : { tls });
  const url = `${tls === undefined ? "http" : "https"}://${peer.host}`;
  const target = { url, authorization: "" };
  return {
    name: "distribution",
    url,
    pid: peer.pid,
    target,
    authorize: () => Promise.resolve(undefined),
    stop: () => peer.stop(),
  };
}

async function startFileServer({ scratch, content, tls }: StartOptions): Promise<BenchServer> {
  const nginx = await startNginx(scratch, tls);
  writeContent(nginx.root, content);
  return {
    name: "nginx",
    url: nginx.url,
    pid: nginx.pid,
    target: undefined,
    authorize: () => Promise.resolve(undefined),
    stop: () => nginx.stop(),
  };
}

/** A Bearer token by the registry's own challenge, as every client gets it. The whole header. */
export async function fetchToken(url: string, credentials: Credentials, repository: string): Promise<string> {
  const insecure = { tls: { rejectUnauthorized: false } };
  const ping = await fetch(`${url}/v2/`, insecure);
  await ping.arrayBuffer();
  const challenge = ping.headers.get("www-authenticate") ?? "";
  const value = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? "";
  const realm = new URL(value("realm"));
  realm.searchParams.set("service", value("service"));
  realm.searchParams.set("scope", `repository:${repository}:pull,push`);
  const answer = await fetch(realm, { ...insecure, headers: { authorization: basic(credentials) } });
  const body = (await answer.json()) as { readonly token?: string };
  if (body.token === undefined) throw new Error(`no token: ${answer.status} ${JSON.stringify(body)}`);
  return `Bearer ${body.token}`;
}

function leaveOut(name: string): void {
  console.error(
    `LEFT OUT: ${name} is not on this machine; npm run bench registry -- --install-tools installs it`,
  );
}
