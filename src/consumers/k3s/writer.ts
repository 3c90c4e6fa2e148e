import { Secret } from "#core";
import { renderAuth } from "../auth-entry.ts";
import type {
  Compiled,
  ConsumerLogin,
  Entry,
  EntryChange,
  FileDocument,
  Merged,
  Target,
  Warning,
} from "../contract.ts";
import { onePerHost, refuseForm } from "../coverage.ts";
import { personalLogins } from "../personal-login.ts";
import { authDifferences, registryAuth } from "../registry-auth.ts";
import { compileCertificates, isCertificate, mergeWholeFile } from "../whole-file.ts";
import { readYamlText, removeYaml } from "../yaml-edit.ts";
import { setYamlAll, type YamlEdit } from "../yaml-edit-all.ts";
import { certificatePath, type Distribution, registriesPath } from "./paths.ts";
import {
  parseRegistries,
  parseRegistriesBytes,
  type Registries,
  type RegistryConfig,
} from "./registries-yaml.ts";

/** An entry of ours: the `auth` of a host, and where the certificate of its CA lies. */
interface Wanted {
  readonly auth: Readonly<Record<string, string>>;
  readonly caFile?: string;
}

export function compileRegistries(
  distribution: Distribution,
  logins: readonly ConsumerLogin[],
  target: Target,
): Compiled {
  const formed = refuseForm(logins, { consumer: distribution, identityTokens: true });
  const placed = onePerHost(
    formed.kept,
    distribution,
    "or as a pull secret (to: kubernetes), which knows paths",
  );
  const entries = placed.kept.flatMap((login) => entriesOf(distribution, login));
  const certificates = compileCertificates(placed.kept, target, {
    consumer: distribution,
    path: (registry) => certificatePath(distribution, registry),
    hint: () => "",
  });
  const file: FileDocument = {
    kind: "file",
    path: registriesPath(distribution, target),
    mode: 0o600,
    folderMode: 0o755,
    entries,
  };
  return {
    documents: [...(entries.length === 0 ? [] : [file]), ...certificates.documents],
    refusals: [...formed.refusals, ...placed.refusals],
    warnings: [...placed.warnings, ...personalLogins(placed.kept, target), ...certificates.warnings],
  };
}

/** Only `auth`, and `tls.ca_file` where the login has a CA, of our hosts change; comments and everybody's entries stay byte for byte. */
export function mergeRegistries(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  if (isCertificate(document)) return mergeWholeFile(current, document, owned);
  const file = document.path;
  const before = current === undefined ? "" : readYamlText(current, file);
  let text = before;
  const changes: EntryChange[] = [];
  const warnings: Warning[] = [];
  const edits: YamlEdit[] = [];
  const { configs } =
    current === undefined ? parseRegistries(before, file) : parseRegistriesBytes(current, file);
  for (const entry of document.entries) {
    const wanted = JSON.parse(entry.content.reveal()) as Wanted;
    const there = configs.get(entry.key);
    const differs = differences(there, wanted);
    const action = there?.auth === undefined ? "add" : differs.length === 0 ? "keep" : "update";
    changes.push({ key: entry.key, login: entry.login, action, ...(action === "update" ? { differs } : {}) });
    if (action !== "keep") edits.push({ path: ["configs", entry.key, "auth"], value: wanted.auth });
    if (wanted.caFile !== undefined)
      edits.push(...caEdits(entry.key, wanted.caFile, { there, file, warnings }));
    if (action === "update" && !owned.has(entry.key))
      warnings.push({
        kind: "format",
        login: entry.login,
        message: `${file}: the auth of ${entry.key} was not written by wharf and is replaced`,
      });
  }
  text = setYamlAll(text, edits, file);
  const wanted = new Set(document.entries.map((entry) => entry.key));
  for (const key of owned) {
    const there = wanted.has(key) ? undefined : parseRegistries(text, file).configs.get(key);
    if (there?.auth === undefined) continue;
    changes.push({ key, login: undefined, action: "remove" });
    text = removeYaml(text, ["configs", key, "auth"], file);
    if (isOurCa(there.caFile)) text = removeYaml(text, ["configs", key, "tls", "ca_file"], file);
  }
  const isGone = text.trim() === "" && changes.some((change) => change.action === "remove");
  const content = isGone ? undefined : text === before ? current : new TextEncoder().encode(text);
  // The bytes that are read back afterwards, so that they are parsed once; what was edited is still such a file, or this throws.
  const merged = content === undefined ? parseRegistries(text, file) : parseRegistriesBytes(content, file);
  if (document.entries.length > 0) warnings.push(...inspect(merged, document));
  return { content, changes, warnings, refusals: [] };
}

/** Hub under both names: older versions look for the host that is contacted, newer ones for either. */
function entriesOf(distribution: Distribution, login: ConsumerLogin): readonly Entry[] {
  const keys = login.registry === "docker.io" ? ["docker.io", "registry-1.docker.io"] : [login.registry];
  const secret = login.secret.reveal();
  // In base64, since older templates put a password between quotes as it is; beside an identity token it names the user.
  const auth =
    login.identityToken === true
      ? { auth: renderAuth(login.username, ""), identity_token: secret }
      : { auth: renderAuth(login.username, secret) };
  const caFile = login.ca === undefined ? {} : { caFile: certificatePath(distribution, login.registry) };
  const content = new Secret(JSON.stringify({ auth, ...caFile } satisfies Wanted));
  return keys.map((key) => ({ key, login: login.name, content }));
}

function differences(there: RegistryConfig | undefined, wanted: Wanted): readonly string[] {
  if (there?.auth === undefined) return ["auth"];
  const { auth = "", identity_token: token } = wanted.auth;
  return authDifferences(there.auth, registryAuth(auth, token));
}

function caEdits(
  key: string,
  caFile: string,
  at: { readonly there: RegistryConfig | undefined; readonly file: string; readonly warnings: Warning[] },
): readonly YamlEdit[] {
  const { there, file, warnings } = at;
  if (there?.caFile === caFile) return [];
  if (there?.caFile !== undefined && !isOurCa(there.caFile)) {
    const message = `${file}: ${key} has a ca_file of somebody's already, ${there.caFile}, which stays`;
    warnings.push({ kind: "format", message, hint: `add the certificate of ${caFile} to it if pulls fail` });
    return [];
  }
  return there?.hasTls === true
    ? [{ path: ["configs", key, "tls", "ca_file"], value: caFile }]
    : [{ path: ["configs", key, "tls"], value: { ca_file: caFile } }];
}

function isOurCa(path: string | undefined): boolean {
  return path !== undefined && /^\/etc\/rancher\/(?:k3s|rke2)\/certs\.d\/[^/]+\/ca\.crt$/.test(path);
}

function inspect({ configs, mirrors, mistyped }: Registries, document: FileDocument): readonly Warning[] {
  const useless = [...configs.keys()].filter((key) => key.includes("/"));
  return [
    ...(mistyped === undefined
      ? []
      : [
          {
            kind: "danger" as const,
            message: `${document.path}: ${mistyped} has another type than is decoded, so that nothing of the file is read`,
            hint: "mend or remove it",
          },
        ]),
    ...useless.map(
      (key): Warning => ({
        kind: "format",
        message: `${document.path}: the key ${key} is never looked for: a key is host[:port], without scheme and path`,
      }),
    ),
    ...document.entries.flatMap((entry) =>
      (mirrors.get(entry.key) ?? mirrors.get("*") ?? []).map(
        (endpoint): Warning => ({
          kind: "shadowed",
          login: entry.login,
          message: `${document.path}: mirrors sends images of ${entry.key} to ${endpoint} first, with the login of that host`,
          hint: "give the mirror's host a login of its own if it needs one",
        }),
      ),
    ),
  ];
}
