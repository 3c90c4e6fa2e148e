import { isCovered } from "#consumers";
import { AppError, type Context, forEachAtOnce, isAppError, toAppError } from "#core";
import type { Login } from "#logins";
import { parseReference } from "#oci";
import type { Opened } from "./planning.ts";
import type { TargetProof } from "./prove-from-targets.ts";
import type { TargetSpec } from "./targets.ts";

/** What is told of one login in one namespace. */
export type PullProof = Pick<TargetProof, "login" | "proof" | "skipped" | "error" | "namespace">;

/** A pod waits for a node, and a node for the registry. */
const TIMEOUT_SECONDS = 120;
/** Of thousands of namespaces these many stand for the others. */
const MAX_NAMESPACES = 20;
const AT_ONCE = 4;

/**
 * Proves the logins of a delivery to a cluster by pods that pull the named images there: as the delivery's first ServiceAccount, where it
 * names one, so that the reference is proved too, else with the Secret. A login for no image that was named is skipped.
 */
export async function pullInCluster(
  context: Context,
  step: {
    readonly spec: TargetSpec;
    readonly opened: Opened;
    readonly logins: readonly Login[];
    readonly images: readonly string[];
  },
): Promise<readonly PullProof[]> {
  const { spec, opened, logins, images } = step;
  const { cluster } = opened.place;
  const all = opened.target.namespaces ?? [];
  if (all.length > MAX_NAMESPACES)
    context.log.warn("not every namespace is tried", { tried: MAX_NAMESPACES });
  const options = opened.consumer.inCluster?.(spec.options).options ?? spec.options;
  const named: unknown = options["service-accounts"];
  const [serviceAccount]: readonly unknown[] = Array.isArray(named) ? named : [named];
  const name = options["name"];
  const who =
    typeof serviceAccount === "string"
      ? { serviceAccount }
      : { pullSecret: typeof name === "string" ? name : "regcred" };
  const pulls = logins.flatMap((login) => {
    const image = images.find((one) => isFor(login, one));
    return all.slice(0, MAX_NAMESPACES).map((namespace) => ({ login, image, namespace }));
  });
  return await forEachAtOnce(
    pulls,
    async ({ login, image, namespace }): Promise<PullProof> => {
      const about = { login: login.name, namespace, proof: undefined, skipped: undefined, error: undefined };
      if (image === undefined || cluster === undefined)
        return { ...about, skipped: "no image of it was named: --image IMAGE has a pod there pull it" };
      try {
        const pull = { namespace, image, ...who, timeoutSeconds: TIMEOUT_SECONDS };
        const node = await cluster.pull(context, pull);
        const detail = `a pod in ${namespace} pulled ${image} on ${node}`;
        return { ...about, proof: { outcome: "proved", realmHosts: [], detail } };
      } catch (cause) {
        if (isAppError(cause, "INTERRUPTED") || context.signal.aborted) throw cause;
        return { ...about, error: withRights(toAppError(cause), namespace) };
      }
    },
    AT_ONCE,
  );
}

function isFor(login: Login, image: string): boolean {
  const { registry, repository } = parseReference(image);
  return registry === login.registry && isCovered(login, repository);
}

/** The roles of deliveries are the least; pods are a right of their own. */
function withRights(error: AppError, namespace: string): AppError {
  if (error.code !== "DENIED") return error;
  return new AppError("DENIED", error.message, {
    hint: `a check from the cluster needs create, get and delete of pods in ${namespace}, beside the roles of wharf kube rbac`,
    cause: error,
  });
}
