import { AppError, type Context } from "#core";
import { packBytes, unpackBytes } from "#system";
import type { KeptAt } from "../contract.ts";
import type { KubeClient } from "./kube-client.ts";
import type { KubeSecret } from "./objects.ts";

const KEY = "content.gz";
const MAX_BYTES = 128 * 1024 * 1024;

/** The bytes of a Secret that `writeKept` wrote; undefined where there is none. Throws CONFIG_INVALID for one that holds something else. */
export async function readKept(
  context: Context,
  client: KubeClient,
  at: KeptAt,
): Promise<Uint8Array | undefined> {
  const found = await client.get<KubeSecret>(context, pathOf(at));
  if (found === undefined) return undefined;
  try {
    return unpackBytes(Buffer.from(found.data?.[KEY] ?? "", "base64"), MAX_BYTES);
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", `${pathOf(at)}: is not what wharf keeps there`, {
      hint: `kubectl delete secret -n ${at.namespace} ${at.name}`,
      cause,
    });
  }
}

/** Compressed, since a Secret holds less than 1 MiB: that is some ten thousand records of a state. Throws TOO_LARGE, DENIED. */
export async function writeKept(
  context: Context,
  client: KubeClient,
  at: KeptAt,
  bytes: Uint8Array,
): Promise<void> {
  const { namespace, name } = at;
  const labels = { "app.kubernetes.io/managed-by": "wharf" };
  const data = { [KEY]: Buffer.from(packBytes(bytes)).toString("base64") };
  const object = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels },
    type: "Opaque",
    data,
  };
  await client.apply(context, pathOf(at), object, true);
}

function pathOf({ namespace, name }: KeptAt): string {
  return `/api/v1/namespaces/${namespace}/secrets/${name}`;
}
