import { AppError, type Context, isAppError } from "#core";
import type { Fetch, FetchAnswer } from "#system";
import { toApiError } from "./api-error.ts";
import type { KubeConnection } from "./connection.ts";
import type { CredentialSource, KubeCredentials } from "./credentials.ts";
import type { KubeStatus } from "./objects.ts";

/** One request to the API. */
export interface KubeRequest {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** `/api/v1/namespaces/x/secrets`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly idleTimeoutMs?: number;
}

export interface KubeRequestParts {
  readonly connection: KubeConnection;
  readonly credentials: CredentialSource;
  readonly fetch: Fetch;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Sends a request; the answer is 2xx. Throws what `toApiError` says, UNREACHABLE, TLS_FAILED, UNAUTHORIZED. */
export type KubeSend = (context: Context, request: KubeRequest) => Promise<FetchAnswer>;

const TRIES = 5;
const LONGEST_WAIT_MS = 30_000;
const MAX_STATUS_BYTES = 256 * 1024;

/**
 * Requests under the connection's credentials. 429 and 503 are waited out, as the server says (Retry-After), connections that broke are
 * tried again where nothing was changed by it, and a refused token that can be renewed is renewed once.
 */
export function createKubeSend(parts: KubeRequestParts): KubeSend {
  return async function send(context, request) {
    let refused: KubeCredentials | undefined;
    for (let tried = 1; ; tried++) {
      const credentials = await parts.credentials.read(context, refused);
      const answer = await tryOnce(parts, context, { request, credentials, isLast: tried >= TRIES });
      if (answer === undefined) {
        await parts.wait(200 * 2 ** tried, context.signal);
        continue;
      }
      if (answer.status >= 200 && answer.status < 300) return answer;
      const status = await readStatus(answer);
      if (answer.status === 401 && parts.credentials.canRenew && refused === undefined) {
        refused = credentials;
        continue;
      }
      if ((answer.status === 429 || answer.status === 503) && tried < TRIES) {
        await parts.wait(waitFor(answer, status, tried), context.signal);
        continue;
      }
      throw toApiError(answer.status, status, whatOf(request));
    }
  };
}

/** undefined: the connection broke, and it may be tried again. */
async function tryOnce(
  { connection, fetch }: KubeRequestParts,
  context: Context,
  step: { readonly request: KubeRequest; readonly credentials: KubeCredentials; readonly isLast: boolean },
): Promise<FetchAnswer | undefined> {
  const { request } = step;
  const { authorization, identity } = step.credentials;
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  try {
    return await fetch(`${connection.server}${request.path}${renderQuery(request.query)}`, {
      method: request.method ?? "GET",
      headers: {
        accept: request.accept ?? "application/json",
        ...connection.user.headers,
        ...(body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
        ...(authorization === undefined ? {} : { authorization: authorization.reveal() }),
      },
      ...(body === undefined ? {} : { body }),
      signal: context.signal,
      tls: { ...connection.tls, ...(identity === undefined ? {} : { identity }) },
      ...(connection.proxy === undefined ? {} : { proxy: connection.proxy }),
      ...(request.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: request.idleTimeoutMs }),
    });
  } catch (cause) {
    // Everything that is sent here gives the same when it is sent twice, but POST.
    const isBroken = isAppError(cause, "UNREACHABLE") && cause.details?.["failure"] === "reset";
    if (isBroken && !step.isLast && request.method !== "POST") return undefined;
    throw ofServer(cause);
  }
}

/** The same, with what to do about an API server. */
function ofServer(cause: unknown): unknown {
  if (!isAppError(cause, "UNREACHABLE") && !isAppError(cause, "TLS_FAILED")) return cause;
  return new AppError(cause.code, `the API server ${cause.message}`, {
    hint:
      cause.code === "TLS_FAILED"
        ? "check certificate-authority and tls-server-name of the cluster in the kubeconfig"
        : "check the cluster's server in the kubeconfig, and whether it is reached from here",
    ...(cause.details === undefined ? {} : { details: cause.details }),
    cause,
  });
}

async function readStatus(answer: FetchAnswer): Promise<KubeStatus> {
  try {
    const value: unknown = JSON.parse(Buffer.from(await answer.readBytes(MAX_STATUS_BYTES)).toString());
    return typeof value === "object" && value !== null ? value : {};
  } catch (cause) {
    if (isAppError(cause, "INTERRUPTED")) throw cause;
    // A proxy in between answers in its own words; the status says enough.
    return {};
  }
}

function waitFor(answer: FetchAnswer, status: KubeStatus, tried: number): number {
  const seconds = Number(
    answer.headers.get("retry-after") ?? status.details?.retryAfterSeconds ?? Number.NaN,
  );
  const ms = Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : 250 * 2 ** tried;
  return Math.min(ms, LONGEST_WAIT_MS);
}

function renderQuery(query: KubeRequest["query"]): string {
  const pairs = Object.entries(query ?? {}).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs).toString()}`;
}

/** The request in words: the object's own path, without the API's version. */
function whatOf({ path }: KubeRequest): string {
  return path.replace(/^\/apis?\/(?:[^/]+\/)?v[^/]+/, "");
}

/** A body as JSON. Throws KUBERNETES_FAILED for what is none, TOO_LARGE. */
export async function readJson(answer: FetchAnswer, maxBytes: number): Promise<unknown> {
  const bytes = await answer.readBytes(maxBytes);
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch {
    throw new AppError("KUBERNETES_FAILED", "what answered is no Kubernetes API: this is not JSON", {
      hint: "check the cluster's server in the kubeconfig",
    });
  }
}
