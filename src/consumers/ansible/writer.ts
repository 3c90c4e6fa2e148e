import { REGISTRY_LIST } from "#ansible";
import { Secret } from "#core";
import type {
  Compiled,
  ConsumerLogin,
  Entry,
  FileDocument,
  Refusal,
  Target,
  VarsRules,
} from "../contract.ts";
import { onePerHost, refuseForm } from "../coverage.ts";
import { dockerKey } from "../docker/docker-config.ts";
import { personalLogins } from "../personal-login.ts";
import { compileCertificates } from "../whole-file.ts";

/** `file:` of the delivery, or `docker-login.yml` in the home. */
export function varsFile(target: Target): string {
  const file = target.options?.["file"];
  return typeof file === "string" && file.startsWith("/") ? file : `${target.home}/docker-login.yml`;
}

/** One entry for each registry, under the very key that docker looks up: `docker_login` writes it to the letter. */
export function compileAnsible(logins: readonly ConsumerLogin[], target: Target): Compiled {
  const rules = varsRules(target);
  const why = wrongRules(rules, target);
  if (why !== undefined)
    return { documents: [], refusals: logins.map(({ name }) => ({ login: name, ...why })), warnings: [] };
  const formed = refuseForm(logins, { consumer: "ansible's docker_login", identityTokens: false });
  const placed = onePerHost(formed.kept, "docker", "or deliver to podman on the nodes, which knows paths");
  const certificates = compileCertificates(placed.kept, target, {
    consumer: "the nodes' docker",
    path: () => undefined,
    hint: (registry) => `copy the CA's certificate to /etc/docker/certs.d/${registry}/ca.crt on every node`,
  });
  const entries = placed.kept.map((login) => ({
    key: dockerKey(login.registry),
    login: login.name,
    content: new Secret(JSON.stringify([login.username, login.secret.reveal()])),
  }));
  return {
    documents: entries.length === 0 ? [] : [{ ...emptyVarsDocument(varsFile(target), target), entries }],
    refusals: [...formed.refusals, ...placed.refusals],
    warnings: [
      ...placed.warnings,
      ...certificates.warnings,
      ...personalLogins(placed.kept, target, "every node will pull with it, for whoever is root there"),
    ],
  };
}

export function emptyVarsDocument(path: string, target: Target): FileDocument {
  return { kind: "file", path, mode: 0o600, folderMode: 0o700, entries: [], vars: varsRules(target) };
}

/** Username and secret of an entry of ours. */
export function contentOf(entry: Entry): { readonly username: string; readonly secret: string } {
  const [username, secret] = JSON.parse(entry.content.reveal()) as [string, string];
  return { username, secret };
}

function varsRules({ options, vaultPasswords = [] }: Target): VarsRules {
  const name = options?.["name"];
  const vault = options?.["vault"];
  return {
    variable: typeof name === "string" ? name : REGISTRY_LIST,
    vault: vault === "file" || vault === "values" || vault === "none" ? vault : undefined,
    passwords: vaultPasswords,
  };
}

function wrongRules(rules: VarsRules, { options }: Target): Omit<Refusal, "login"> | undefined {
  const { variable, vault, passwords } = rules;
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(variable))
    return {
      reason: "name: is no name of a variable of Ansible's",
      hint: `leave it out for ${REGISTRY_LIST}`,
    };
  if (options?.["vault"] !== undefined && vault === undefined)
    return {
      reason: "vault: is not one that wharf knows",
      hint: "write vault: file, vault: values or vault: none",
    };
  if ((vault === "file" || vault === "values") && passwords.length === 0)
    return {
      reason: "it is to be encrypted, and there is no password",
      hint: "say where it is: vault-password:",
    };
  return undefined;
}
