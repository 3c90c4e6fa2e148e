import { renderEntry } from "../auth-entry.ts";
import { type AuthFileRules, authsOf, mergeAuthFile } from "../auth-file.ts";
import type { Compiled, ConsumerLogin, FileDocument, Merged, Target, Warning } from "../contract.ts";
import { refuseForm, refuseTwins, scopeOf } from "../coverage.ts";
import { fieldOf, type JsonObject, memberOf } from "../json-text.ts";
import { compileCertificates, isCertificate, mergeWholeFile } from "../whole-file.ts";
import { mistypedIn } from "./auth-json.ts";
import { optionFile, podmanWritePath } from "./paths.ts";

/** Podman's keys are segment by segment, longest first: a login is used for its images and for no others. */
export function compilePodman(logins: readonly ConsumerLogin[], target: Target): Compiled {
  const formed = refuseForm(logins, { consumer: "podman", identityTokens: true });
  const placed = refuseTwins(formed.kept);
  const entries = placed.kept.map((login) => ({
    key: scopeOf(login),
    login: login.name,
    content: renderEntry(login),
  }));
  // Podman looks below the home for root too; CRI-O and its kin have no home.
  const folder =
    optionFile(target) === undefined
      ? `${target.home}/.config/containers/certs.d`
      : "/etc/containers/certs.d";
  const certificates = compileCertificates(placed.kept, target, {
    consumer: "podman",
    path: (registry) =>
      optionFile(target) !== undefined && target.uid !== 0 ? undefined : `${folder}/${registry}/ca.crt`,
    hint: (registry) => `as root, put the CA's certificate into ${folder}/${registry}/ca.crt`,
  });
  const path = podmanWritePath(target);
  const file: FileDocument = { kind: "file", path, mode: 0o600, folderMode: 0o700, entries };
  return {
    documents: [...(entries.length === 0 ? [] : [file]), ...certificates.documents],
    refusals: [...formed.refusals, ...placed.refusals],
    warnings: [...certificates.warnings, ...environmentWarnings(target, path)],
  };
}

export function mergePodman(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  if (isCertificate(document)) return mergeWholeFile(current, document, owned);
  return mergeAuthFile(current, document, owned, podmanRules);
}

const podmanRules: AuthFileRules = {
  // A helper for the host is asked before any entry, one with a path included; an empty one is run all the same.
  refuse(root, entry) {
    const host = entry.key.split("/", 1)[0] ?? "";
    const helper = memberOf(fieldOf(root, "credHelpers")?.value, host);
    if (helper === undefined) return undefined;
    return {
      login: entry.login,
      reason: `credHelpers names a helper for ${host}, which podman asks instead of reading its entries`,
      hint: `remove ${host} from credHelpers, or store the login with that helper`,
    };
  },
  inspect: (root, document) => [...unreadable(root, document), ...shadowedBelow(root, document)],
};

function unreadable(root: JsonObject, document: FileDocument): readonly Warning[] {
  const mistyped = mistypedIn(root, "auth.json");
  if (mistyped === undefined) return [];
  const message = `${document.path}: ${mistyped} has another type than podman decodes, so that no entry of the file is read`;
  return [{ kind: "danger", message, hint: "mend or remove it" }];
}

/** Somebody's entry below one of ours takes the images there. */
function shadowedBelow(root: JsonObject, document: FileDocument): readonly Warning[] {
  const ours = new Set(document.entries.map((entry) => entry.key));
  const foreign = (authsOf(root)?.members ?? []).map((member) => member.key).filter((key) => !ours.has(key));
  return document.entries.flatMap((entry) =>
    foreign
      .filter((key) => key.startsWith(`${entry.key}/`))
      .map(
        (key): Warning => ({
          kind: "shadowed",
          login: entry.login,
          message: `${document.path}: the entry ${key}, which wharf did not write, is used for the images below it`,
          hint: `remove it with \`podman logout ${key}\` if it is old`,
        }),
      ),
  );
}

function environmentWarnings(target: Target, path: string): readonly Warning[] {
  const docker = target.env["DOCKER_CONFIG"] ?? "";
  const isNamed = optionFile(target) !== undefined || (target.env["REGISTRY_AUTH_FILE"] ?? "") !== "";
  if (docker === "" || isNamed) return [];
  return [
    {
      kind: "shadowed",
      message: `DOCKER_CONFIG is set, so podman reads ${docker}/config.json and not ${path}`,
      hint: "unset DOCKER_CONFIG where podman runs, or set REGISTRY_AUTH_FILE to that file",
    },
  ];
}
