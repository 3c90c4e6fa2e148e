import type { Context } from "#core";
import type { Connection } from "./connection.ts";
import { askManifest } from "./manifests.ts";

/** How many pulls a registry still allows this login. */
export interface RateLimit {
  readonly limit: number;
  readonly remaining: number;
  /** In which the limit holds; undefined where the registry does not say. */
  readonly windowSeconds: number | undefined;
  /** What is counted: the address of this machine means that the login was not; undefined where the registry does not say. */
  readonly countedBy: "account" | "address" | undefined;
}

/** Docker Hub's own repository for this question (Docker's documentation, "View pull rate and limit"). */
const REPOSITORY = "ratelimitpreview/test";

/**
 * What Docker Hub says in its headers; a HEAD request is not counted as a pull. undefined for other registries, and for plans without a
 * limit, which send no such headers. Throws what any request throws.
 */
export async function readRateLimit(
  context: Context,
  connection: Connection,
): Promise<RateLimit | undefined> {
  if (connection.registry !== "docker.io") return undefined;
  const wanted = { method: "HEAD", repository: REPOSITORY, key: "latest" } as const;
  const answer = await askManifest(context, connection, wanted);
  await answer.discard();
  const limit = parseRateLimit(answer.headers.get("ratelimit-limit"));
  const remaining = parseRateLimit(answer.headers.get("ratelimit-remaining"));
  if (limit === undefined || remaining === undefined) return undefined;
  const source = answer.headers.get("docker-ratelimit-source");
  return {
    limit: limit.count,
    remaining: remaining.count,
    windowSeconds: limit.windowSeconds,
    countedBy: source === null ? undefined : /^[\d.]+$|:/.test(source) ? "address" : "account",
  };
}

/** `100;w=21600`; undefined for anything else. */
export function parseRateLimit(
  header: string | null,
): { readonly count: number; readonly windowSeconds: number | undefined } | undefined {
  const [, count, window] = /^\s*(\d{1,12})\s*(?:;\s*w\s*=\s*(\d{1,9})\s*)?$/.exec(header ?? "") ?? [];
  if (count === undefined) return undefined;
  return { count: Number(count), windowSeconds: window === undefined ? undefined : Number(window) };
}
