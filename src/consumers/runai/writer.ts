import { AppError, isAppError } from "#core";
import type { Compiled, ConsumerLogin, MatchAnswer, Target, Warning } from "../contract.ts";
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
  const compiled = compileKubernetes(logins, asPullSecrets(target, scope), { labels: scope.labels });
  const warnings = compiled.documents.length === 0 ? [] : scopeWarnings(scope);
  return { ...compiled, warnings: [...compiled.warnings, ...warnings] };
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
    // Run:ai's own, or those of its projects, wherever the context stands.
    ...(target.namespaces === undefined ? {} : { namespaces: scope.namespaces }),
    options: {
      ...options,
      namespaces: scope.namespaces,
      "service-accounts": scope.serviceAccounts,
    },
  };
}

function scopeWarnings({ scope, generation }: RunaiScope): readonly Warning[] {
  if (scope !== "cluster") return [];
  const setting: Warning = {
    kind: "format",
    message:
      "Run:ai copies it to the projects only where its cluster setting clusterWideSecret is on; off is usual on OpenShift",
    hint: "see it with `kubectl get runaiconfig runai -n runai -o yaml` under project-controller; where it is off, use scope: project",
  };
  return generation === "old"
    ? [
        setting,
        {
          kind: "format",
          message:
            "runai/cluster-wide is the label of the first Run:ai versions; newer ones do not list the Secret",
          hint: "leave labels: old out once Run:ai is newer",
        },
      ]
    : [setting];
}
