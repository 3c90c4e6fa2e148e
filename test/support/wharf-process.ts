import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Scratch } from "./scratch.ts";
import { until } from "./until.ts";

/** A `wharf serve` of its own process on loopback: for kills, for traces, and for measuring. */
export interface WharfProcess {
  readonly host: string;
  readonly url: string;
  readonly dataFolder: string;
  readonly pid: number;
  readonly admin: ApiCaller;
  /** Asks it to stop and waits for the end; the exit code. */
  stop(): Promise<number>;
  /** As the power cord would. */
  kill(): Promise<void>;
  /** What it wrote so far, both streams. */
  readLog(): Promise<string>;
}

export interface WharfProcessOptions {
  /** How wharf is called: the source by default, or the executable. */
  readonly command?: readonly string[];
  /** Put before the command: `strace -f …`. */
  readonly under?: readonly string[];
  /** More options of `wharf serve`. */
  readonly args?: readonly string[];
  /** Under the scratch folder; the same one again after a kill. */
  readonly dataFolder?: string;
  readonly tls?: boolean;
}

/** A name and a secret that the API or the registry takes by Basic authentication. */
export interface Credentials {
  readonly username: string;
  readonly secret: string;
}

export interface ApiCaller extends Credentials {
  /** A call of the management API; `path` below /api/v1. Throws when the status is not 2xx. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
}

/** wharf from source, as a person in a checkout calls it. The launcher is replaced by what it starts: one process, one pid. */
export const wharfFromSource: readonly string[] = [join(import.meta.dir, "../../bin/wharf")];

/** Starts one and waits until it answers. Throws with its own words when it does not. */
export async function startWharf(scratch: Scratch, options: WharfProcessOptions = {}): Promise<WharfProcess> {
  const dataFolder = options.dataFolder ?? scratch.at("data");
  const address = join(dataFolder, "address");
  // A killed one leaves its address behind; that is not the new one's.
  const before = existsSync(address) ? readFileSync(address, "utf8") : undefined;
  const log = scratch.at(`wharf-${crypto.randomUUID()}.log`);
  const port = before === undefined ? "0" : (before.trim().split(":").pop() ?? "0");
  // Appended to by both streams, so that neither writes over the other.
  const logFd = openSync(log, "a");
  const child = Bun.spawn(
    [
      ...(options.under ?? []),
      ...(options.command ?? wharfFromSource),
      "serve",
      "--data",
      dataFolder,
      "--listen",
      `127.0.0.1:${port}`,
      ...(options.args ?? []),
    ],
    {
      stdio: ["ignore", logFd, logFd],
      env: { PATH: process.env.PATH ?? "", HOME: scratch.path, TMPDIR: scratch.path },
    },
  );
  closeSync(logFd);
  const readLog = () => Bun.file(log).text();
  const scheme = options.tls === true ? "https" : "http";
  const host = await until(
    "wharf serve answers",
    async () => {
      if (child.exitCode !== null) throw new Error(`wharf serve ended: ${await readLog()}`);
      if (!existsSync(address)) return undefined;
      const found = readFileSync(address, "utf8").trim();
      const answer = await fetch(`${scheme}://${found}/healthz`, {
        tls: { rejectUnauthorized: false },
      }).catch(() => undefined);
      return answer?.status === 200 ? found : undefined;
    },
    30_000,
  ).catch(async (cause: unknown) => {
    child.kill("SIGKILL");
    throw new Error(`wharf serve does not answer: ${await readLog()}`, { cause });
  });
  const url = `${scheme}://${host}`;
  const password = readFileSync(join(dataFolder, "admin-password"), "utf8").trim();
  return {
    host,
    url,
    dataFolder,
    pid: child.pid,
    admin: apiCaller(url, { username: "admin", secret: password }),
    stop: async () => {
      child.kill("SIGTERM");
      await child.exited;
      return child.exitCode ?? -1;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
    readLog,
  };
}

export function basic(credentials: Credentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.secret}`).toString("base64")}`;
}

export function apiCaller(url: string, credentials: Credentials): ApiCaller {
  return {
    ...credentials,
    call: async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const answer = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { authorization: basic(credentials), "content-type": "application/json" },
        tls: { rejectUnauthorized: false },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return (text === "" ? undefined : JSON.parse(text)) as T;
    },
  };
}

/** A private project and a robot of it that may pull and push: what one researcher group has. */
export async function createProjectRobot(
  admin: ApiCaller,
  project: string,
  actions: readonly ("pull" | "push" | "delete")[] = ["pull", "push"],
): Promise<Credentials> {
  await admin.call("POST", "/projects", { name: project, visibility: "private" });
  return createRobot(admin, project, "bot", actions);
}

export async function createRobot(
  admin: ApiCaller,
  project: string,
  name: string,
  actions: readonly string[],
): Promise<Credentials> {
  return admin.call<Credentials>("POST", `/projects/${project}/robots`, { name, actions, expiresInDays: 1 });
}
