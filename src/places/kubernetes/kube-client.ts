import { AppError, type Context, isAppError } from "#core";
import { isExpired } from "./api-error.ts";
import { type KubeSend, readJson } from "./kube-request.ts";
import type { KubeList, KubeObject, WatchEvent } from "./objects.ts";
import { readWatch } from "./watch-stream.ts";

/** What a list or watch is held to. */
export interface Selection {
  readonly labels?: string;
  readonly fields?: string;
}

/** A list of everything that was asked for, and from where a watch goes on. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/** The Kubernetes API, as far as it is used. Paths as `/api/v1/namespaces/x/secrets/y`. Errors: `toApiError`. */
export interface KubeClient {
  /** undefined where it is not there. */
  get<T extends KubeObject>(context: Context, path: string): Promise<T | undefined>;
  /** All pages. `isMetadataOnly`: the items have metadata alone. */
  list<T extends KubeObject>(
    context: Context,
    path: string,
    selection?: Selection & { readonly isMetadataOnly?: boolean },
  ): Promise<Listed<T>>;
  /** Throws ALREADY_EXISTS. `path` is the collection's. */
  create<T extends KubeObject>(context: Context, path: string, object: object): Promise<T>;
  /**
   * Server-side apply under our field manager: makes it, or changes it in place. A resourceVersion in the metadata is a condition.
   * Throws CONFLICT: with `details.managers` where others own a field (unless `force`), with `details.stale` where it changed.
   */
  apply<T extends KubeObject>(context: Context, path: string, object: object, force?: boolean): Promise<T>;
  /** JSON merge patch; a resourceVersion in the metadata is a condition. */
  mergePatch<T extends KubeObject>(context: Context, path: string, patch: object): Promise<T>;
  /** Gone afterwards; false where it was not there. Throws CONFLICT where it is not this very one any more. */
  remove(
    context: Context,
    path: string,
    preconditions: { readonly uid?: string; readonly resourceVersion?: string },
  ): Promise<boolean>;
  /**
   * What changes after a resourceVersion, until the server ends it (after some minutes: begin again from the last one seen) or the
   * context ends. Throws CONFLICT with `details.expired` where that version is too old: list again.
   */
  watch<T extends KubeObject>(
    context: Context,
    path: string,
    from: Selection & { readonly resourceVersion: string; readonly isMetadataOnly?: boolean },
  ): AsyncGenerator<WatchEvent<T>>;
}

export const FIELD_MANAGER = "wharf";
/**
 * Some thousand namespaces with those of Kubernetes itself come in one page: each further one costs a round trip. One page of Secrets stays
 * below some megabytes.
 */
const PAGE = "2500";
const MAX_BYTES = 512 * 1024 * 1024;
const METADATA = "application/json;as=PartialObjectMetadata";
/** The server speaks at least this often: bookmarks come once a minute. */
const WATCH_SILENCE_MS = 10 * 60_000;

export function createKubeClient(send: KubeSend): KubeClient {
  const ask = async <T>(context: Context, request: Parameters<KubeSend>[1]): Promise<T> =>
    (await readJson(await send(context, request), MAX_BYTES)) as T;

  const client: KubeClient = {
    async get<T extends KubeObject>(context: Context, path: string) {
      try {
        return await ask<T>(context, { path });
      } catch (cause) {
        if (isAppError(cause, "NOT_FOUND")) return undefined;
        throw cause;
      }
    },
    async list<T extends KubeObject>(
      context: Context,
      path: string,
      selection: Selection & { readonly isMetadataOnly?: boolean } = {},
    ) {
      try {
        return await listPages<T>(context, path, { selection, limit: PAGE });
      } catch (cause) {
        if (!isExpired(cause)) throw cause;
        // The pages grew too old while they were fetched: all at once.
        return await listPages<T>(context, path, { selection, limit: undefined });
      }
    },
    create: (context, path, body) =>
      ask(context, { method: "POST", path, query: { fieldManager: FIELD_MANAGER }, body }),
    apply: (context, path, body, force = false) =>
      ask(context, {
        method: "PATCH",
        path,
        query: { fieldManager: FIELD_MANAGER, force: String(force) },
        body,
        contentType: "application/apply-patch+yaml",
      }),
    mergePatch: (context, path, body) =>
      ask(context, {
        method: "PATCH",
        path,
        query: { fieldManager: FIELD_MANAGER },
        body,
        contentType: "application/merge-patch+json",
      }),
    async remove(context, path, preconditions) {
      try {
        const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
        await (await send(context, { method: "DELETE", path, body })).discard();
        return true;
      } catch (cause) {
        if (isAppError(cause, "NOT_FOUND")) return false;
        throw cause;
      }
    },
    async *watch<T extends KubeObject>(
      context: Context,
      path: string,
      from: Selection & { readonly resourceVersion: string; readonly isMetadataOnly?: boolean },
    ) {
      const answer = await send(context, {
        path,
        query: {
          watch: "true",
          allowWatchBookmarks: "true",
          resourceVersion: from.resourceVersion,
          ...selectors(from),
        },
        idleTimeoutMs: WATCH_SILENCE_MS,
        ...(from.isMetadataOnly === true ? { accept: `${METADATA};v=v1;g=meta.k8s.io` } : {}),
      });
      yield* readWatch<T>(context, answer.body);
    },
  };
  return client;

  async function listPages<T extends KubeObject>(
    context: Context,
    path: string,
    about: {
      readonly selection: Selection & { readonly isMetadataOnly?: boolean };
      readonly limit: string | undefined;
    },
  ): Promise<Listed<T>> {
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const page: KubeList<T> = await ask(context, {
        path,
        query: { limit: about.limit, continue: next, ...selectors(about.selection) },
        ...(about.selection.isMetadataOnly === true ? { accept: `${METADATA}List;v=v1;g=meta.k8s.io` } : {}),
      });
      if (typeof page !== "object" || page === null || !("metadata" in page) || !("items" in page))
        throw new AppError("KUBERNETES_FAILED", `${path}: what answered is no Kubernetes list`);
      for (const item of page.items ?? []) items.push(item);
      next = page.metadata.continue;
      if (next === undefined || next === "")
        return { items, resourceVersion: page.metadata.resourceVersion ?? "0" };
    }
  }
}

function selectors({ labels, fields }: Selection): Readonly<Record<string, string | undefined>> {
  return { labelSelector: labels, fieldSelector: fields };
}
