import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "#server";
import { parseServeOptions, type ServeValues } from "#server/options";
import { createLogger, systemClock } from "#system";

/** A username and what proves it, as Basic authentication sends them. */
export interface TestLogin {
  readonly username: string;
  readonly secret: string;
}

/** A real server in this process, on a free port of loopback, with its data in a temporary folder. */
export interface TestServer {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** `http://127.0.0.1:PORT`, or https with `tls: "auto"`. */
  readonly url: string;
  readonly dataDir: string;
  readonly admin: TestLogin;
  /** The own CA's certificate, PEM, with `tls: "auto"`. */
  readonly ca: string | undefined;
  /** Every line that was logged, at debug level. */
  readonly logLines: readonly string[];
  readonly running: RunningServer;
  /** A request to the server, as somebody (the admin unless said; null: nobody). */
  fetch(path: string, init?: RequestInit & { readonly as?: TestLogin | null }): Promise<Response>;
  /** A request to the management API, `body` sent as JSON; the answer's document. Throws for a status that is not 2xx. */
  api(method: string, path: string, body?: unknown, as?: TestLogin): Promise<Record<string, unknown>>;
  createProject(name: string, visibility?: "private" | "public"): Promise<void>;
  /** A robot of a project. */
  createRobot(
    project: string,
    name: string,
    actions?: readonly ("pull" | "push" | "delete")[],
  ): Promise<TestLogin>;
  /** A user with a password. */
  createUser(name: string, password?: string): Promise<TestLogin>;
  /** Stops the server and removes its folder. */
  stop(): Promise<void>;
}

/** Starts one; `values` are options of `wharf serve` by name. */
export async function startTestServer(values: ServeValues = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), "wharf-test-server-"));
  const dataDir = typeof values["data"] === "string" ? values["data"] : join(folder, "data");
  const logLines: string[] = [];
  const log = createLogger({
    level: "debug",
    format: "json",
    clock: systemClock,
    write: (line) => logLines.push(line),
  });
  const options = parseServeOptions(
    { listen: "127.0.0.1:0", "stop-seconds": "2", "log-level": "debug", ...values, data: dataDir },
    folder,
  );
  const running = await startServer(options, { log, clock: systemClock });
  const { passwordFile } = running.admin;
  const given = passwordFile ?? options.adminPasswordFile;
  if (given === undefined) throw new Error("the admin's password was changed on this data folder");
  const admin = { username: running.admin.username, secret: (await readFile(given, "utf8")).trim() };
  const ca = options.tls.kind === "auto" ? await readFile(join(dataDir, "tls", "ca.crt"), "utf8") : undefined;
  const url = `${options.tls.kind === "none" ? "http" : "https"}://${running.address}`;

  const server: TestServer = {
    address: running.address,
    url,
    dataDir,
    admin,
    ca,
    logLines,
    running,
    fetch(path, { as = admin, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (as !== null) headers.set("authorization", basicAuthorization(as));
      return fetch(`${url}${path}`, { ...init, headers, ...(ca === undefined ? {} : { tls: { ca } }) });
    },
    async api(method, path, body, as = admin) {
      const response = await server.fetch(`/api/v1${path}`, {
        method,
        as,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} /api/v1${path}: ${response.status} ${text}`);
      const document: unknown = text === "" ? {} : JSON.parse(text);
      if (typeof document !== "object" || document === null) throw new Error(`${method} ${path}: ${text}`);
      return { ...document };
    },
    async createProject(name, visibility = "private") {
      await server.api("POST", "/projects", { name, visibility });
    },
    async createRobot(project, name, actions = ["pull", "push"]) {
      const robot = await server.api("POST", `/projects/${project}/robots`, {
        name,
        actions,
        expiresInDays: 1,
      });
      return { username: String(robot["username"]), secret: String(robot["secret"]) };
    },
    async createUser(name, password = `pass-word-${crypto.randomUUID()}`) {
      await server.api("POST", "/users", { name, password });
      return { username: name, secret: password };
    },
    async stop() {
      await running.stop(AbortSignal.abort());
      await rm(folder, { recursive: true, force: true });
    },
  };
  return server;
}

/** The value of an Authorization header. */
export function basicAuthorization(login: TestLogin): string {
  return `Basic ${Buffer.from(`${login.username}:${login.secret}`).toString("base64")}`;
}
