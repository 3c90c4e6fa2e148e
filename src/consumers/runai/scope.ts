import { AppError } from "#core";
import type { Target } from "../contract.ts";

/** Namespace of Run:ai itself: what lies there with the right label is copied to every project, or to those of a department. */
const OWN_NAMESPACE = "runai";

/** Run:ai knows the namespaces of its projects by this label, whatever they are called. */
const PROJECT_LABEL = "runai/queue";

/** Where the Secrets of a delivery go, and what makes Run:ai see them. */
export interface RunaiScope {
  readonly scope: "cluster" | "department" | "project";
  /** As `namespaces:` of a delivery to kubernetes: names, or a selector that a cluster is asked by. */
  readonly namespaces: readonly string[] | { readonly selector: string };
  readonly labels: Readonly<Record<string, string>>;
  /** ServiceAccounts of each namespace that name the Secret; none where Run:ai itself hands it out. */
  readonly serviceAccounts: readonly string[];
  readonly generation: "new" | "old";
}

/**
 * What `scope:` (cluster, department, project), `department:`, `project:` or `projects:` (in a cluster also `all`), and `labels:` (new, old) ask for. `namespaces:`
 * names the namespaces of projects that do not have Run:ai's own name for them. Throws CONFIG_INVALID.
 */
export function runaiScope(target: Target): RunaiScope {
  const options = target.options ?? {};
  const scope = options["scope"];
  const generation = options["labels"] ?? "new";
  if (generation !== "new" && generation !== "old")
    throw invalid(
      "labels: is new or old",
      "old is the label runai/cluster-wide of the first versions; leave it out otherwise",
    );
  switch (scope) {
    case "cluster":
      refuseOther(options, "cluster", ["project", "projects", "namespaces", "department"]);
      return {
        scope,
        namespaces: [OWN_NAMESPACE],
        labels: CLUSTER_LABELS[generation],
        serviceAccounts: [],
        generation,
      };
    case "department": {
      refuseOther(options, "department", ["project", "projects", "namespaces"]);
      const department = options["department"];
      if (generation === "old")
        throw invalid(
          "the old labels of Run:ai know no departments",
          "leave labels: out, or name the projects",
        );
      if (!isLabelValue(department))
        throw invalid(
          "department: is the id of a department, as Run:ai gives it",
          'write it in quotes: department: "4500001"',
        );
      return {
        scope,
        namespaces: [OWN_NAMESPACE],
        labels: { [RESOURCE]: DOCKER_REGISTRY, "run.ai/department": String(department) },
        serviceAccounts: [],
        generation,
      };
    }
    case "project":
      refuseOther(options, "project", ["department"]);
      return {
        scope,
        namespaces: namespacesOf(options),
        labels: generation === "old" ? {} : { "run.ai/credentials": "true" },
        serviceAccounts: serviceAccountsOf(options),
        generation,
      };
    default:
      throw invalid(
        "scope: says for whom: cluster, department or project",
        "add scope: project and projects: [NAME], or scope: cluster for every project",
      );
  }
}

const RESOURCE = "run.ai/resource";
const DOCKER_REGISTRY = "docker-registry";

/** Run:ai 2.13 to 2.18 read the second spelling, later ones the third; a label that a version does not know is nothing to it. */
const CLUSTER_LABELS = {
  old: { "runai/cluster-wide": "true" },
  new: {
    [RESOURCE]: DOCKER_REGISTRY,
    "run.ai/cluster-wide-credentials": "true",
    "run.ai/cluster-wide": "true",
  },
} as const;

function namespacesOf(options: Readonly<Record<string, unknown>>): RunaiScope["namespaces"] {
  const { namespaces, project } = options;
  if (options["projects"] === "all") {
    refuseOther(options, "project with projects: all", ["project", "namespaces"]);
    return { selector: PROJECT_LABEL };
  }
  const projects = options["projects"] ?? (project === undefined ? [] : [project]);
  if (!isTexts(projects) || !(namespaces === undefined || isTexts(namespaces)))
    throw invalid(
      "projects: and namespaces: are lists of names",
      "list them: projects: [team-a, team-b]; in a cluster projects: all",
    );
  const all = [...new Set([...projects.map((name) => `${OWN_NAMESPACE}-${name}`), ...(namespaces ?? [])])];
  if (all.length > 0) return all;
  throw invalid(
    "scope: project names no project",
    "add projects: [NAME], or namespaces: where a project's namespace is not runai-NAME",
  );
}

/** A workload of a project takes the pull secrets of its ServiceAccount, whichever way it was submitted. */
function serviceAccountsOf(options: Readonly<Record<string, unknown>>): readonly string[] {
  const listed = options["service-accounts"] ?? ["default"];
  if (!isTexts(listed))
    throw invalid("service-accounts: is not a list of names", "list them: service-accounts: [default]");
  return listed;
}

function refuseOther(
  options: Readonly<Record<string, unknown>>,
  scope: string,
  others: readonly string[],
): void {
  const found = others.find((key) => options[key] !== undefined);
  if (found !== undefined)
    throw invalid(`${found}: is not for scope: ${scope}`, `take out ${found}:, or change the scope`);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** A label's value; a number that YAML made of an id is its text. */
function isLabelValue(value: unknown): value is string | number {
  return (
    (typeof value === "string" || (typeof value === "number" && Number.isSafeInteger(value))) &&
    /^(?=.{1,63}$)[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(String(value))
  );
}

function invalid(message: string, hint: string): AppError {
  return new AppError("CONFIG_INVALID", message, { hint });
}
