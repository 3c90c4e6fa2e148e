import { AppError, isAppError, parseKeyPath, renderKeyPath } from "#core";
import type {
  Compiled,
  ConsumerLogin,
  FileDocument,
  MatchAnswer,
  Merged,
  Target,
  Warning,
} from "../contract.ts";
import { matchDocker } from "../docker/reader.ts";
import { compileDocker, dockerFile, mergeDocker } from "../docker/writer.ts";
import { personalLogins } from "../personal-login.ts";
import { podmanPaths } from "../podman/paths.ts";
import { matchPodman } from "../podman/reader.ts";
import { compilePodman, mergePodman } from "../podman/writer.ts";
import { isService, mergeService, serviceDocuments } from "./registry-creds.ts";
import { type OpensvcScope, opensvcScope } from "./scope.ts";

/** The key of a sec object that OpenSVC hands to docker or podman. */
const KEY = "config.json";

/** Root's own file for the node; for a namespace the value of a sec object's key, and the keyword in the services that use it. */
export function compileOpensvc(logins: readonly ConsumerLogin[], target: Target): Compiled {
  let scope: OpensvcScope;
  try {
    scope = opensvcScope(target);
  } catch (fault) {
    if (!(fault instanceof AppError)) throw fault;
    return refuseAll(logins, fault.message, fault.hint);
  }
  const { object, generation, program } = scope;
  if (generation === 3 && object !== undefined && object.services.length > 0)
    return refuseAll(
      logins,
      "OpenSVC 3 declares registry_creds, and none of its code reads it: the services would pull without a login",
      "deliver root's login on each node, which OpenSVC 3 does use: scope: node, without namespace:, name: and services:",
    );
  const reading = asProgram(target, scope);
  const compiled = program === "docker" ? compileDocker(logins, reading) : compilePodman(logins, reading);
  const hasEntries = compiled.documents.some(({ entries }) => entries.length > 0);
  return {
    documents: [
      ...compiled.documents,
      ...(hasEntries && object !== undefined ? serviceDocuments(object) : []),
    ],
    refusals: compiled.refusals,
    warnings: [
      ...compiled.warnings,
      ...(hasEntries ? scopeWarnings(scope) : []),
      ...(object === undefined ? personalLogins(logins, { ...target, user: "root" }) : []),
    ],
  };
}

export function mergeOpensvc(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  if (isService(document)) return mergeService(current, document, owned);
  const isPodmans = document.path.endsWith("/auth.json") || parseKeyPath(document.path)?.program === "podman";
  return isPodmans ? mergePodman(current, document, owned) : mergeDocker(current, document, owned);
}

/** What docker or podman is given: the sec object's file, or root's own where the pull has none. */
export function matchOpensvc(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const scope = tryScope(target);
  if (scope === undefined)
    return { kind: "anonymous", why: "the delivery has no scope: that could be looked into", searched: [] };
  const isRead = scope.object === undefined || scope.generation === 2;
  const reading = asProgram(target, isRead ? scope : { ...scope, object: undefined });
  return scope.program === "docker" ? matchDocker(files, image, reading) : matchPodman(files, image, reading);
}

export function opensvcFiles(target: Target): readonly string[] {
  const scope = tryScope(target);
  if (scope === undefined) return [];
  const isRead = scope.object === undefined || scope.generation === 2;
  const reading = asProgram(target, isRead ? scope : { ...scope, object: undefined });
  return scope.program === "docker" ? [dockerFile(reading)] : podmanPaths(reading).map(({ path }) => path);
}

/**
 * OpenSVC runs as root with no settings of a person. With a sec object it runs `docker --config FOLDER` or `podman --authfile FILE` on a copy of
 * the key's value.
 */
function asProgram(target: Target, { object, generation, program }: OpensvcScope): Target {
  const root: Target = { home: "/root", user: "root", uid: 0, env: {} };
  if (object === undefined) return root;
  const path = renderKeyPath({ generation, program, ...object, kind: "sec", key: KEY });
  return program === "docker"
    ? { ...root, env: { DOCKER_CONFIG: path.slice(0, -KEY.length - 1) } }
    : { ...root, options: { file: path } };
}

function scopeWarnings({ object, generation, program }: OpensvcScope): readonly Warning[] {
  if (object === undefined)
    return generation === 2 && program === "docker"
      ? [
          {
            kind: "shadowed",
            message:
              "a node that is registered with a collector runs `docker login` as SERVICE@NODE before each pull, which replaces root's entry where the registry takes it",
            hint: "use scope: namespace with services:, which OpenSVC 2 pulls by without logging in itself",
          },
        ]
      : [];
  if (generation === 3)
    return [
      {
        kind: "danger",
        message: "OpenSVC 3 pulls with root's login on the node: nothing reads this sec object yet",
        hint: "deliver with scope: node too",
      },
    ];
  return object.services.length > 0
    ? []
    : [
        {
          kind: "format",
          message: `no service uses it before registry_creds = ${object.name} stands in it`,
          hint: "name them in services:, or set it by hand in DEFAULT or a container's section",
        },
      ];
}

/** undefined where the options are not, or not rightly, there; compile refuses those. */
function tryScope(target: Target): OpensvcScope | undefined {
  try {
    return opensvcScope(target);
  } catch (fault) {
    if (isAppError(fault, "CONFIG_INVALID")) return undefined;
    throw fault;
  }
}

function refuseAll(logins: readonly ConsumerLogin[], reason: string, hint: string | undefined): Compiled {
  const why = { reason, ...(hint === undefined ? {} : { hint }) };
  return { documents: [], refusals: logins.map((login) => ({ login: login.name, ...why })), warnings: [] };
}
