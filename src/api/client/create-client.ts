import { AppError, type ErrorCode, errorTable, type Secret } from "#core";
import type { ApiClient, ApiFetch, ListPage, ListQuery, TokenHolder } from "./contract.ts";

const BASE = "/api/v1";
/** Stands for what cannot be a segment; no encoded text holds it. */
const NO_NAME = "\0";

export interface ApiClientOptions {
  /** `scheme://host[:port]` of the registry. */
  readonly url: string;
  /** A username with a password or a token's secret; undefined where the browser sends its own. */
  readonly credentials: { readonly username: string; readonly secret: Secret } | undefined;
  readonly fetch: ApiFetch;
}

type Method = Parameters<ApiFetch>[1]["method"];

/** A typed client of the management API. Loads nothing of the server. */
export function createApiClient({ url, credentials, fetch }: ApiClientOptions): ApiClient {
  const base = new URL(BASE, url).href;

  async function ask<T>(method: Method, path: string, body?: unknown): Promise<T> {
    if (path.includes(NO_NAME))
      throw new AppError("NAME_INVALID", "an empty name, or one of dots alone, names nothing");
    const { status, text } = await fetch(base + path, {
      method,
      headers: {
        accept: "application/json",
        ...(credentials === undefined ? {} : { authorization: renderBasic(credentials) }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const document = parseJson(text);
    if (status >= 200 && status < 300 && (status === 204 || document !== undefined)) return document as T;
    throw toClientError(status, document, url);
  }
  const list = <T>(path: string, query: ListQuery = {}): Promise<ListPage<T>> =>
    ask("GET", path + renderQuery({ after: query.after, limit: query.limit?.toString() }));

  return {
    whoami: () => ask("GET", "/whoami"),
    listProjects: (query) => list("/projects", query),
    createProject: (project) => ask("POST", "/projects", project),
    readProject: (project) => ask("GET", path`/projects/${project}`),
    updateProject: (project, change) => ask("PATCH", path`/projects/${project}`, change),
    deleteProject: (project, { withRepositories = false } = {}) =>
      ask(
        "DELETE",
        path`/projects/${project}` + renderQuery(withRepositories ? { withRepositories: "true" } : {}),
      ),
    readConversions: (project) => ask("GET", path`/projects/${project}/conversions`),
    listRepositories: (project, query) => list(path`/projects/${project}/repositories`, query),
    listMembers: (project, query) => list(path`/projects/${project}/members`, query),
    setMember: (project, user, role) => ask("PUT", path`/projects/${project}/members/${user}`, { role }),
    removeMember: (project, user) => ask("DELETE", path`/projects/${project}/members/${user}`),
    listRobots: (project, query) => list(robotsPath(project), query),
    createRobot: (project, robot) => ask("POST", robotsPath(project), robot),
    createSiteRobot: (robot) => ask("POST", robotsPath(undefined), robot),
    readRobot: (project, robot) => ask("GET", robotPath(project, robot)),
    updateRobot: (project, robot, change) => ask("PATCH", robotPath(project, robot), change),
    updateSiteRobot: (robot, change) => ask("PATCH", robotPath(undefined, robot), change),
    deleteRobot: (project, robot) => ask("DELETE", robotPath(project, robot)),
    listUsers: (query) => list("/users", query),
    createUser: (user) => ask("POST", "/users", user),
    readUser: (user) => ask("GET", path`/users/${user}`),
    updateUser: (user, change) => ask("PATCH", path`/users/${user}`, change),
    changePassword: (user, change) => ask("PUT", path`/users/${user}/password`, change),
    deleteUser: (user) => ask("DELETE", path`/users/${user}`),
    listTokens: (holder, query) => list(tokensPath(holder), query),
    createToken: (holder, token) => ask("POST", tokensPath(holder), token),
    readToken: (holder, tokenId) => ask("GET", `${tokensPath(holder)}/${tokenId}`),
    updateToken: (holder, tokenId, change) => ask("PATCH", `${tokensPath(holder)}/${tokenId}`, change),
    revokeToken: (holder, tokenId) => ask("DELETE", `${tokensPath(holder)}/${tokenId}`),
  };
}

/** A path whose values cannot leave their segment. */
function path(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return parts.reduce((text, part, index) => text + encodeSegment(values[index - 1] ?? "") + part);
}

function encodeSegment(value: string): string {
  // `.` and `..` survive percent-encoding and would be resolved away, nothing would name the list.
  if (value === "" || value === "." || value === "..") return NO_NAME;
  return encodeURIComponent(value.toWellFormed());
}

function robotsPath(project: string | undefined): string {
  return project === undefined ? "/robots" : path`/projects/${project}/robots`;
}

function robotPath(project: string | undefined, robot: string): string {
  return robotsPath(project) + path`/${robot}`;
}

function tokensPath(holder: TokenHolder): string {
  const owner = "user" in holder ? path`/users/${holder.user}` : robotPath(holder.project, holder.robot);
  return `${owner}/tokens`;
}

function renderQuery(values: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? "" : `?${query.toString()}`;
}

function renderBasic({ username, secret }: { readonly username: string; readonly secret: Secret }): string {
  const bytes = new TextEncoder().encode(`${username}:${secret.reveal()}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON is a value here: the caller says what it means with the status.
    return undefined;
  }
}

function toClientError(status: number, document: unknown, url: string): AppError {
  const problem = (typeof document === "object" && document !== null ? document : {}) as Record<
    string,
    unknown
  >;
  const { code, detail, hint, details } = problem;
  if (typeof code === "string" && code in errorTable && typeof detail === "string")
    return new AppError(code as ErrorCode, detail, {
      ...(typeof hint === "string" ? { hint } : {}),
      ...(typeof details === "object" && details !== null
        ? { details: details as Record<string, unknown> }
        : {}),
    });
  return new AppError("REGISTRY_FAILED", `${url} answered ${status}, not as a Wharfinger registry does`, {
    hint: "check the address; the management API is on the registry's own host and port",
  });
}
