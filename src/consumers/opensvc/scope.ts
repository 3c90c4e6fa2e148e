import { AppError } from "#core";
import type { Target } from "../contract.ts";

/** What a delivery to OpenSVC is for. */
export interface OpensvcScope {
  readonly generation: 2 | 3;
  readonly program: "docker" | "podman";
  /** undefined: the node's own login, for all its services. */
  readonly object: SecObject | undefined;
}

/** A `sec` object whose key `config.json` is a Docker config.json, and the services that use it. */
export interface SecObject {
  readonly namespace: string;
  readonly name: string;
  readonly services: readonly ServiceSection[];
}

/** Where `registry_creds` is set: in `DEFAULT` for all containers of a service, or in the section of one. */
export interface ServiceSection {
  readonly service: string;
  readonly section: string;
}

/** The namespace without a folder of its own. */
export const ROOT_NAMESPACE = "root";

/**
 * What `scope:` (node, namespace), `version:` (2 or 3; else what om said), `program:` (docker, podman), `namespace:`, `name:` and
 * `services:` (`web`, or `web/container#1` for one section) ask for. Throws CONFIG_INVALID.
 */
export function opensvcScope(target: Target): OpensvcScope {
  const options = target.options ?? {};
  const program = options["program"] ?? "docker";
  if (program !== "docker" && program !== "podman")
    throw invalid("program: is docker or podman", "say which of them runs the containers");
  const generation = generationOf(options["version"] ?? target.version);
  const scope = options["scope"];
  if (scope === "node") {
    for (const key of ["services", "namespace", "name"])
      if (options[key] !== undefined)
        throw invalid(`${key}: is not for scope: node`, `take out ${key}:, or write scope: namespace`);
    return { generation, program, object: undefined };
  }
  if (scope !== "namespace")
    throw invalid(
      "scope: says for whom: node or namespace",
      "node is root's login on the node, for all services; namespace is a sec object for the services of one",
    );
  const namespace = options["namespace"];
  const name = options["name"];
  if (!isName(namespace))
    throw invalid("namespace: names the namespace of the services", "as in namespace: myns");
  if (!isName(name)) throw invalid("name: names the sec object", "as in name: creds-registry");
  return { generation, program, object: { namespace, name, services: servicesOf(options["services"]) } };
}

function generationOf(version: unknown): 2 | 3 {
  const text = typeof version === "string" || typeof version === "number" ? String(version) : "";
  const major = Number(/^v?(\d+)/.exec(text)?.[1]);
  if (major === 2 || major === 3) return major;
  throw invalid(
    "which OpenSVC is on the node is not known",
    "add version: 2 (om is a Python program, b2.1) or version: 3",
  );
}

function servicesOf(option: unknown): readonly ServiceSection[] {
  const listed: readonly unknown[] = Array.isArray(option) ? option : option === undefined ? [] : [option];
  return listed.map((item) => {
    const [service = "", section = "DEFAULT", ...more] = typeof item === "string" ? item.split("/") : [];
    if (!isName(service) || !/^[A-Za-z][A-Za-z0-9_#.-]*$/.test(section) || more.length > 0)
      throw invalid(
        "services: is not a list of services",
        'write names, as in services: [web, "api/container#1"]',
      );
    return { service, section };
  });
}

/** OpenSVC's own rule: the labels of a host's name, in lower case. */
function isName(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length <= 253 &&
    value.split(".").every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label))
  );
}

function invalid(message: string, hint: string): AppError {
  return new AppError("CONFIG_INVALID", message, { hint });
}
