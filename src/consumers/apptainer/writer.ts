import { renderEntry } from "../auth-entry.ts";
import { type AuthFileRules, authsOf, mergeAuthFile } from "../auth-file.ts";
import type { Compiled, ConsumerLogin, FileDocument, Merged, Target, Warning } from "../contract.ts";
import { onePerHost, refuseForm } from "../coverage.ts";
import { dockerKey } from "../docker/docker-config.ts";
import { dockerRules } from "../docker/writer.ts";
import { type JsonObject, stringField } from "../json-text.ts";
import { compileCertificates, mergeWholeFile, WHOLE_FILE } from "../whole-file.ts";
import { compileModule } from "./module-file.ts";
import { apptainerFile, environmentPair, variantOf } from "./paths.ts";

export function compileApptainer(logins: readonly ConsumerLogin[], target: Target): Compiled {
  const program = variantOf(target);
  const formed = refuseForm(logins, { consumer: program, identityTokens: true });
  const placed = onePerHost(formed.kept, program, "or pull with podman, which knows paths");
  const entries = placed.kept.map((login) => ({
    key: dockerKey(login.registry),
    login: login.name,
    content: renderEntry(login),
  }));
  const certificates = compileCertificates(placed.kept, target, {
    consumer: program,
    path: () => undefined,
    hint: () => "as root, add the CA to the system's trust store (update-ca-certificates or update-ca-trust)",
  });
  const file: FileDocument = {
    kind: "file",
    path: apptainerFile(target),
    mode: 0o600,
    folderMode: 0o700,
    entries,
  };
  const module = compileModule(placed.kept, target);
  // What its module cannot carry is not half delivered.
  const isRefused = module.refusals.length > 0;
  return {
    documents: entries.length === 0 || isRefused ? [] : [file, ...module.documents],
    refusals: [...formed.refusals, ...placed.refusals, ...module.refusals],
    warnings: [
      ...placed.warnings,
      ...certificates.warnings,
      ...environmentWarnings(target),
      ...module.warnings,
    ],
  };
}

export function mergeApptainer(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  // The module; without a body it is one that is wanted no more.
  if (document.body !== undefined || owned.has(WHOLE_FILE)) return mergeWholeFile(current, document, owned);
  const merged = mergeAuthFile(current, document, owned, apptainerRules);
  if (current !== undefined || merged.content === undefined || document.path.includes("/.singularity/"))
    return merged;
  const hides: Warning = {
    kind: "shadowed",
    message: `once ${document.path} is there, apptainer no longer reads docker's config.json`,
    hint: "deliver to apptainer whatever other logins it took from there",
  };
  return { ...merged, warnings: [...merged.warnings, hides] };
}

/** Docker's rules, and entries for one whole repository, which are read before the host's. */
const apptainerRules: AuthFileRules = {
  ...dockerRules,
  inspect: (root, document) => [
    ...(dockerRules.inspect?.(root, document) ?? []),
    ...storeIsAsked(root, document),
    ...document.entries.flatMap((entry) =>
      (authsOf(root)?.members ?? [])
        .map((member) => member.key)
        .filter((key) => key.startsWith(`${repositoryHost(entry.key)}/`))
        .map(
          (key): Warning => ({
            kind: "shadowed",
            login: entry.login,
            message: `${document.path}: the entry ${key}, which wharf did not write, is used for that repository`,
            hint: "remove it if it is old",
          }),
        ),
    ),
  ],
};

/** credsStore is asked for each whole repository before the host's entry is looked at; where that fails, so does the pull. */
function storeIsAsked(root: JsonObject, document: FileDocument): readonly Warning[] {
  const store = stringField(root, "credsStore") ?? "";
  if (store === "") return [];
  return document.entries.map((entry) => ({
    kind: "shadowed",
    login: entry.login,
    message: `${document.path}: docker-credential-${store} is asked for each repository before the entry ${entry.key}`,
    hint: "remove credsStore from this file where that helper is not there",
  }));
}

/** Hub's repositories are looked up under `index.docker.io`. */
function repositoryHost(key: string): string {
  return key === dockerKey("docker.io") ? "index.docker.io" : key;
}

function environmentWarnings(target: Target): readonly Warning[] {
  const pair = environmentPair(target);
  if (pair === undefined) return [];
  return [
    {
      kind: "shadowed",
      message: `${pair.prefix}_USERNAME or ${pair.prefix}_PASSWORD is set: ${variantOf(target)} sends that pair to every registry and reads no file`,
      hint: `unset ${pair.prefix}_USERNAME and ${pair.prefix}_PASSWORD in shells and job scripts`,
    },
  ];
}
