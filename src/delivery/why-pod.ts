import type { MatchAnswer } from "#consumers";
import { AppError, type Context, parseObjectPath, renderObjectPath } from "#core";
import type { DeliveryPlace } from "#logins";
import { answerFrom } from "./search-path.ts";
import { consumerNamed, type TargetSpec, targetsOf } from "./targets.ts";
import type { Seen, WhyInput } from "./why-contract.ts";

/**
 * What the kubelet would send for a pod's image: the Secrets that the pod has, or a new one of the ServiceAccount would get, read and
 * looked into as the kubelet does. What the node itself has (its config.json, a credential provider) is not seen from here.
 * Throws NOT_FOUND where there is no such pod or ServiceAccount.
 */
export async function readPod(
  context: Context,
  input: WhyInput & { readonly at: DeliveryPlace },
  image: string,
): Promise<Seen> {
  const consumer = consumerNamed(input.inventory.consumers, "kubernetes");
  const place = await input.inventory.openPlace(context, input.at, undefined);
  const { cluster } = place;
  if (cluster === undefined) throw new AppError("INTERNAL", `${input.at.text} is no cluster`);
  const { namespace: asked, serviceAccount = "default", pod } = input.pod ?? {};
  const options = asked === undefined ? {} : { namespace: asked };
  const namespaces = await cluster.namespaces(context, options);
  const [namespace = "default"] = namespaces;
  const owner =
    pod === undefined
      ? ({ namespace, kind: "serviceaccounts", name: serviceAccount } as const)
      : ({ namespace, kind: "pods", name: pod } as const);
  const who = `${pod === undefined ? "ServiceAccount" : "pod"} ${namespace}/${owner.name}`;
  const names = await cluster.pullSecrets(context, owner);
  const files = new Map<string, Uint8Array>();
  const missing: string[] = [];
  const found = await Promise.all(
    names.map(async (name) => {
      const path = renderObjectPath({ namespace, kind: "secrets", name });
      return [name, path, await place.read(context, path)] as const;
    }),
  );
  for (const [name, path, file] of found)
    if (file === undefined)
      missing.push(`${who} names the Secret ${name}, which is not there: it is passed over`);
    else files.set(path, file.bytes);
  const target = { ...(await place.facts(context)), options, namespaces };
  const opened = { consumer, place, target };
  const answer = answerFrom(opened, { files, failure: undefined }, image);
  const spec = specOf(input, namespace, names);
  return {
    spec,
    delivered: spec.logins.length > 0,
    answer: withNotes(answer, [
      ...(names.length === 0 ? [`${who} names no pull secrets`] : missing),
      ...unnamed(input, { namespace, names, who }),
    ]),
    of: who,
  };
}

/** The delivery that one of these Secrets is of, where wharf.yaml has one. */
function specOf(
  input: WhyInput & { readonly at: DeliveryPlace },
  namespace: string,
  names: readonly string[],
): TargetSpec {
  const none: TargetSpec = {
    consumer: "kubernetes",
    at: input.at,
    user: undefined,
    options: {},
    logins: [],
  };
  const ours = input.records.find((record) => {
    const at = record.place === input.at.text ? parseObjectPath(record.file) : undefined;
    return at?.kind === "secrets" && at.namespace === namespace && names.includes(at.name);
  });
  const name = ours === undefined ? undefined : parseObjectPath(ours.file)?.name;
  if (name === undefined || input.config === undefined) return none;
  return (
    targetsOf(input.config).find(
      (spec) =>
        spec.at.text === input.at.text &&
        spec.consumer === "kubernetes" &&
        (spec.options["name"] ?? "regcred") === name,
    ) ?? none
  );
}

/** Secrets that were delivered to the namespace, and that this pod does not get. */
function unnamed(
  input: WhyInput & { readonly at: DeliveryPlace },
  of: { readonly namespace: string; readonly names: readonly string[]; readonly who: string },
): readonly string[] {
  const delivered = input.records.flatMap((record) => {
    const at = record.place === input.at.text ? parseObjectPath(record.file) : undefined;
    return at?.kind === "secrets" && at.namespace === of.namespace && !of.names.includes(at.name)
      ? [at.name]
      : [];
  });
  return [...new Set(delivered)].map(
    (name) =>
      `the Secret ${name}, which wharf delivered there, is not among those of ${of.who} (service-accounts:)`,
  );
}

function withNotes(answer: MatchAnswer, notes: readonly string[]): MatchAnswer {
  if (notes.length === 0) return answer;
  switch (answer.kind) {
    case "login":
      return { ...answer, match: { ...answer.match, shadows: [...answer.match.shadows, ...notes] } };
    case "helper":
      return answer;
    case "broken":
    case "anonymous":
      // Without a Secret there is nothing else to say.
      return {
        ...answer,
        why: answer.why === "there is no Secret" ? notes.join("; ") : [answer.why, ...notes].join("; "),
      };
  }
}
