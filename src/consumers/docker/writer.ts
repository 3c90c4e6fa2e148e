import { renderEntry } from "../auth-entry.ts";
import { type AuthFileRules, mergeAuthFile } from "../auth-file.ts";
import type { Compiled, ConsumerLogin, FileDocument, Merged, Target, Warning } from "../contract.ts";
import { onePerHost, refuseForm } from "../coverage.ts";
import { fieldOf, type JsonObject, memberOf, stringField } from "../json-text.ts";
import { isProgram, mergeProgram, programDocuments } from "../program-document.ts";
import { compileCertificates, isCertificate, mergeWholeFile } from "../whole-file.ts";
import { dockerKey, findInAuths, HUB_KEY, mistypedSection, unreadableEntries } from "./docker-config.ts";
import { helperEntry, mergeHelperEntries, refusePaths } from "./helper-entries.ts";

const HELPER_PROGRAM = "docker-credential-wharf";
const OTHER = "or deliver it to podman, which knows paths";

/** The file that docker and its kin read: `$DOCKER_CONFIG` names its folder. */
export function dockerFile(target: Target): string {
  const folder = target.env["DOCKER_CONFIG"];
  return folder === undefined || folder === ""
    ? `${target.home}/.docker/config.json`
    : `${folder}/config.json`;
}

/** With `helper: wharf` the file names docker-credential-wharf for each registry, and holds no secret. */
export function compileDocker(logins: readonly ConsumerLogin[], target: Target): Compiled {
  const helper = target.options?.["helper"];
  if (helper !== undefined && helper !== "wharf") return refuseHelper(logins);
  const formed = refuseForm(logins, { consumer: "docker", identityTokens: true });
  const whole = helper === undefined ? { kept: formed.kept, refusals: [] } : refusePaths(formed.kept);
  const placed = onePerHost(whole.kept, "docker", OTHER);
  const entries = placed.kept.map((login) =>
    helper === undefined
      ? { key: dockerKey(login.registry), login: login.name, content: renderEntry(login) }
      : helperEntry(login),
  );
  const certificates = compileCertificates(placed.kept, target, {
    consumer: "docker's daemon",
    // The daemon checks certificates, and only root writes for it.
    path: (registry, { uid }) => (uid === 0 ? `/etc/docker/certs.d/${registry}/ca.crt` : undefined),
    hint: (registry) => `as root, put the CA's certificate into /etc/docker/certs.d/${registry}/ca.crt`,
  });
  const file: FileDocument = {
    kind: "file",
    path: dockerFile(target),
    mode: 0o600,
    folderMode: 0o700,
    entries,
  };
  return {
    documents: [
      ...(entries.length === 0 || helper === undefined ? [] : programDocuments(HELPER_PROGRAM, target)),
      ...(entries.length === 0 ? [] : [file]),
      ...certificates.documents,
    ],
    refusals: [...formed.refusals, ...whole.refusals, ...placed.refusals],
    warnings: [...placed.warnings, ...certificates.warnings, ...environmentWarnings(target)],
  };
}

export function mergeDocker(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  if (isProgram(document)) return mergeProgram(current, document, owned);
  if (isCertificate(document)) return mergeWholeFile(current, document, owned);
  return mergeHelperEntries(current, document, owned, (bytes, rest, ours) =>
    mergeAuthFile(bytes, rest, ours, dockerRules),
  );
}

function refuseHelper(logins: readonly ConsumerLogin[]): Compiled {
  const reason = "wharf delivers one helper to docker, its own";
  const hint = "write helper: wharf, or leave it out to have the logins in the file";
  const refusals = logins.map(({ name }) => ({ login: name, reason, hint }));
  return { documents: [], refusals, warnings: [] };
}

/** Rules of every file that docker/cli's own library reads; Apptainer has them too. */
export const dockerRules: AuthFileRules = {
  refuse(root, entry) {
    const helper = memberOf(fieldOf(root, "credHelpers")?.value, entry.key)?.value;
    if (helper?.kind !== "string" || helper.value === "") return undefined;
    return {
      login: entry.login,
      reason: `credHelpers gives ${entry.key} to docker-credential-${helper.value}, so an entry in the file would not be read`,
      hint: `remove ${entry.key} from credHelpers, or store the login with that helper`,
    };
  },
  // An empty helper for this key makes docker/cli read the file in spite of credsStore (configfile.getConfiguredCredentialStore).
  extras(root, entry) {
    const store = stringField(root, "credsStore");
    const own = memberOf(fieldOf(root, "credHelpers")?.value, entry.key);
    return store === undefined || store === "" || own !== undefined ? [] : [["credHelpers", entry.key, ""]];
  },
  leftovers: (key) => [["credHelpers", key, ""]],
  inspect: (root, document) => [
    ...unloadable(root, document),
    ...storeWarnings(root, document),
    ...unreadableEntries(root).map(
      (key): Warning => ({
        kind: "danger",
        message: `${document.path}: the entry ${key} cannot be decoded, which makes docker drop other logins of the file by chance`,
        hint: "remove that entry, or log in again with `docker login`",
      }),
    ),
    ...randomHosts(root, document),
    ...hubAliases(root, document),
  ],
};

function unloadable(root: JsonObject, document: FileDocument): readonly Warning[] {
  const mistyped = mistypedSection(root);
  if (mistyped === undefined) return [];
  const message = `${document.path}: ${mistyped} has another type than docker decodes, so that the file does not load`;
  return [{ kind: "danger", message, hint: "mend or remove it" }];
}

function storeWarnings(root: JsonObject, document: FileDocument): readonly Warning[] {
  const store = stringField(root, "credsStore");
  if (store === undefined || store === "" || document.entries.length === 0) return [];
  return [
    {
      kind: "shadowed",
      message: `${document.path} keeps its logins in docker-credential-${store}; those of wharf are read from the file, by an empty credHelpers entry each`,
      hint: "podman and oras do not know empty helpers: deliver to podman too where it is used",
    },
  ];
}

/** Foreign keys with a path and none for the host: docker picks one of them at random for every image there. */
function randomHosts(root: JsonObject, document: FileDocument): readonly Warning[] {
  const ours = new Set(document.entries.map((entry) => entry.key));
  const foreign = new Set(
    [...(fieldOf(root, "auths")?.value.kind === "object" ? authsKeys(root) : [])].filter((key) =>
      key.includes("/"),
    ),
  );
  const warned = new Set<string>();
  for (const key of foreign) {
    const host = key.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "";
    if (!ours.has(host) && findInAuths(root, host).kind === "several") warned.add(host);
  }
  return [...warned].map((host) => ({
    kind: "danger",
    message: `${document.path} has several entries with paths for ${host} and none for the host: docker uses one of them at random`,
    hint: `add an entry for ${host} itself, or keep those with paths in podman's file`,
  }));
}

function authsKeys(root: JsonObject): readonly string[] {
  const node = fieldOf(root, "auths")?.value;
  return node?.kind === "object" ? node.members.map((member) => member.key) : [];
}

function hubAliases(root: JsonObject, document: FileDocument): readonly Warning[] {
  return authsKeys(root)
    .filter((key) => key === "docker.io" || key === "registry-1.docker.io")
    .map((key) => ({
      kind: "format",
      message: `${document.path}: docker never reads the entry ${key}; Hub's key is ${HUB_KEY}`,
    }));
}

function environmentWarnings(target: Target): readonly Warning[] {
  if ((target.env["DOCKER_AUTH_CONFIG"] ?? "") === "") return [];
  return [
    {
      kind: "shadowed",
      message: "DOCKER_AUTH_CONFIG is set: newer docker versions read it before the file",
      hint: "unset DOCKER_AUTH_CONFIG where docker runs",
    },
  ];
}
