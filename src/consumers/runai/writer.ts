import { AppError, isAppError } from "#core";
import type { ClusterNeeds, Compiled, ConsumerLogin, MatchAnswer, Target, Warning } from "../contract.ts";
import { matchKubernetes } from "../kubernetes/reader.ts";
import { secretFiles } from "../kubernetes/secret-files.ts";
import { compileKubernetes } from "../kubernetes/writer.ts";
import { type RunaiScope, runaiScope } from "./scope.ts";

/** Pull secrets where Run:ai looks for them, with the labels that it goes by. */
export function compileRunai(logins: readonly ConsumerLogin[], target: Target): Compiled {
  let scope: RunaiScope;
  try {
    scope = runaiScope(target);
  } catch (fault) {
    if (!(fault instanceof AppError)) throw fault;
    const { message, hint } = fault;
    const why = { reason: message, ...(hint === undefined ? {} : { hint }) };
    return {
      documents: [],
      refusals: logins.map((login) => ({ login: login.name, ...why })),
      warnings: [],
    };
  }
  const isCopied = scope.scope === "cluster" ? copiesSecrets(target) : true;
  if (isCopied === false)
    return {
      documents: [],
      refusals: logins.map((login) => ({
        login: login.name,
        reason:
          "Run:ai's cluster setting clusterWideSecret is off there, so the Secret would reach no project",
        hint: "use scope: project with projects:, or have project-controller.clusterWideSecret turned on in the RunaiConfig",
      })),
      warnings: [],
    };
  const compiled = compileKubernetes(logins, asPullSecrets(target, scope), { labels: scope.labels });
  const warnings = compiled.documents.length === 0 ? [] : scopeWarnings(scope, isCopied === true);
  return { ...compiled, warnings: [...compiled.warnings, ...warnings] };
}

/** Run:ai's own settings, where its operator keeps them. */
const SETTINGS = "/apis/run.ai/v1/namespaces/runai/runaiconfigs/runai";

/**
 * The namespaces that the scope means; for the whole cluster Run:ai's settings are looked at. Options that say no scope, or a wrong one,
 * as they are: compile refuses those.
 */
export function runaiInCluster(options: Readonly<Record<string, unknown>>): ClusterNeeds {
  const secrets = pullSecrets({ home: "", user: "", uid: 0, env: {}, options, namespaces: [] });
  return { options: secrets?.options ?? options, objects: options["scope"] === "cluster" ? [SETTINGS] : [] };
}

/** Does Run:ai copy Secrets to its projects; undefined where that is not known. On where nothing is said (its manual's default). */
function copiesSecrets(target: Target): boolean | undefined {
  const settings = target.objects?.get(SETTINGS);
  if (settings === undefined) return undefined;
  return fieldAt(settings, ["spec", "project-controller", "clusterWideSecret"]) !== false;
}

function fieldAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const key of path)
    at = typeof at === "object" && at !== null ? (at as Readonly<Record<string, unknown>>)[key] : undefined;
  return at;
}

/** The kubelet reads the copies that Run:ai makes as it reads these; that Run:ai makes them is not seen here. */
export function matchRunai(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const secrets = pullSecrets(target);
  if (secrets === undefined)
    return { kind: "anonymous", why: "the delivery has no scope: that could be looked into", searched: [] };
  return matchKubernetes(files, image, secrets);
}

export function runaiFiles(target: Target): readonly string[] {
  const secrets = pullSecrets(target);
  return secrets === undefined ? [] : secretFiles(secrets).map(({ path }) => path);
}

/** undefined where the options say no scope (what was delivered and left wharf.yaml has none) or a wrong one, which compile refuses. */
function pullSecrets(target: Target): Target | undefined {
  try {
    const secrets = asPullSecrets(target, runaiScope(target));
    secretFiles(secrets);
    return secrets;
  } catch (fault) {
    if (isAppError(fault, "CONFIG_INVALID")) return undefined;
    throw fault;
  }
}

function asPullSecrets(target: Target, scope: RunaiScope): Target {
  const { namespace: _, ...options } = target.options ?? {};
  return {
    ...target,
    options: {
      ...options,
      namespaces: scope.namespaces,
      "service-accounts": scope.serviceAccounts,
    },
  };
}

function scopeWarnings({ scope, generation }: RunaiScope, isCopied: boolean): readonly Warning[] {
  if (scope !== "cluster") return [];
  const unknown: Warning = {
    kind: "format",
    message:
      "Run:ai copies it to the projects only where its cluster setting clusterWideSecret is on; off is usual on OpenShift",
    hint: "see it with `kubectl get runaiconfig runai -n runai -o yaml` under project-controller; where it is off, use scope: project",
  };
  const settings = isCopied ? [] : [unknown];
  return generation === "old"
    ? [
        ...settings,
        {
          kind: "format",
          message:
            "runai/cluster-wide is the label of the first Run:ai versions; newer ones do not list the Secret",
          hint: "leave labels: old out once Run:ai is newer",
        },
      ]
    : settings;
}
