import { type Context, isAppError, toAppError } from "#core";
import { wait } from "#system";
import type { Observed } from "../contract.ts";
import { isExpired } from "./api-error.ts";
import type { KubeClient } from "./kube-client.ts";
import type { KubeObject } from "./objects.ts";

const LONGEST_PAUSE_MS = 30_000;

interface Stream {
  readonly path: string;
  readonly name: string | undefined;
  /** It may be forbidden: then less is seen, and looked at now and then all the same. */
  readonly isOptional: boolean;
  namespaceOf(object: KubeObject): string | undefined;
}

/**
 * Tells the namespace of each object that is there, and then of each that changes, until the context ends. Metadata alone is fetched and
 * nothing is kept of it. Streams that end or break are begun again. Throws DENIED and UNAUTHORIZED where a stream may not be had at all.
 */
export async function observeObjects(
  context: Context,
  client: KubeClient,
  observed: Observed,
  tell: (namespace: string) => void,
): Promise<void> {
  await Promise.all(streamsOf(observed).map((stream) => follow(context, client, stream, tell)));
}

function streamsOf({ namespaces, secrets, accounts }: Observed): readonly Stream[] {
  const inNamespace = ({ metadata }: KubeObject): string | undefined => metadata.namespace;
  const roots =
    namespaces === undefined ? ["/api/v1"] : namespaces.map((name) => `/api/v1/namespaces/${name}`);
  const named = (kind: string, names: readonly string[]): readonly Stream[] =>
    roots.flatMap((root) =>
      names.map((name) => ({ path: `${root}/${kind}`, name, isOptional: false, namespaceOf: inNamespace })),
    );
  return [
    {
      path: "/api/v1/namespaces",
      name: undefined,
      isOptional: namespaces !== undefined,
      namespaceOf: ({ metadata }) =>
        namespaces === undefined || namespaces.includes(metadata.name) ? metadata.name : undefined,
    },
    ...named("secrets", secrets),
    ...named("serviceaccounts", accounts),
  ];
}

async function follow(
  context: Context,
  client: KubeClient,
  stream: Stream,
  tell: (namespace: string) => void,
): Promise<void> {
  // None yet: the server begins with what is there (API concepts, "Get State and Start at Most Recent").
  let resourceVersion = "";
  let failures = 0;
  while (!context.signal.aborted) {
    try {
      const events = client.watch(context, stream.path, {
        resourceVersion,
        isMetadataOnly: true,
        ...(stream.name === undefined ? {} : { fields: `metadata.name=${stream.name}` }),
      });
      for await (const { type, object } of events) {
        failures = 0;
        if (type === "BOOKMARK") {
          // The first events tell what is there, in no order: only a bookmark says that all before it were sent.
          resourceVersion = object.metadata.resourceVersion ?? resourceVersion;
          continue;
        }
        const namespace = stream.namespaceOf(object);
        if (namespace !== undefined) tell(namespace);
      }
      // A server that ends streams at once is not asked without a pause.
      if (failures++ > 0) await pause(context, failures);
    } catch (cause) {
      if (context.signal.aborted) return;
      if (isAppError(cause, "DENIED") || isAppError(cause, "UNAUTHORIZED")) {
        if (stream.isOptional) return;
        throw cause;
      }
      if (isExpired(cause)) resourceVersion = "";
      else {
        context.log.warn("a watch of the cluster broke and is begun again", {
          path: stream.path,
          error: toAppError(cause),
        });
      }
      await pause(context, failures++);
    }
  }
}

async function pause(context: Context, failures: number): Promise<void> {
  const ms = Math.min(LONGEST_PAUSE_MS, 100 * 2 ** Math.min(failures, 12)) * (0.5 + Math.random() / 2);
  // An abort ends the pause, and with it the loop around it.
  await wait(ms, context.signal).catch(() => undefined);
}
