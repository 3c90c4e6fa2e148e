import type { configKeys } from "#logins";

type Keys<List extends readonly string[]> = Readonly<Record<List[number], string>>;

/** What each key of wharf.yaml is for. The types make sure that every key is here, and no other. */
export const topWords: Keys<typeof configKeys.top> = {
  version: "`1`, the form of the file that this page describes; required",
  logins: "name → login",
  deliver: "list of deliveries: which logins go to which consumer at which place",
};

export const loginWords: Keys<typeof configKeys.login> = {
  registry:
    "`host[:port]`, or `host[:port]/path` for only the images under that path; Docker Hub is `docker.io`; required",
  username: "the username; a colon cannot be in it; required",
  password: "where the secret comes from when it is not the vault (below); never the secret itself",
  "identity-token": "`true`: the secret is an OAuth2 identity token, not a password",
  expires:
    "date (`2027-03-01`) after which the secret is of no use; `wharf logins` and `wharf check` warn before",
  "plain-http": "`true`: the registry is spoken to without TLS; loopback registries need not say it",
  ca: "PEM file with the registry's private CA, relative to wharf.yaml; it is delivered with the login",
  "realm-hosts": "hosts of the token endpoints where another than the registry's answers (Enroot needs them)",
  renew:
    "a command that makes a new secret and prints it, for `wharf rotate`: `[./renew-hub]`; runs only after `wharf trust`",
};

export const deliveryWords: Keys<typeof configKeys.delivery> = {
  to: "the consumer; required",
  at: "the place: `local`, `ssh://[user@]host[:port]` (also a list of hosts, `ssh://gpu[01-64,70]`, or those that the site names: `ssh://@slurm:PARTITION`, `ssh://@ansible:GROUP`), `ansible://GROUP` for hosts reached by the site's own Ansible, `clush://NODES` for nodes (`gpu[01-64]`, `@GROUP`) reached by its ClusterShell, `k8s://CONTEXT` for a context of the kubeconfig (`k8s://`: the current one, or the cluster that wharf runs in), or `folder:DIR` for a tree of files under DIR; required",
  logins: "names of the logins; all of them where nothing is said",
  users: "user → names of logins: each person's own, in their own home",
  sudo: "`true`: over ssh, act as root there, or as the person of `users:`, by sudo without a password; by Ansible, `become`",
  name: "kubernetes, runai: the Secret's name; opensvc: the sec object's; ansible: the list's variable, where it is not `docker_login_registries`",
  namespace: "kubernetes: the Secret's namespace; opensvc: that of the sec object and the services",
  namespaces:
    'kubernetes: several namespaces; in a cluster also `all`, or `{ selector: "team=ml" }` by their labels',
  "service-accounts":
    "kubernetes: ServiceAccounts whose pods use the Secret; in a cluster, where it is added to their imagePullSecrets; runai: those of a project (`default`)",
  "take-over":
    "kubernetes: `true`: a Secret of that name that somebody else made becomes wharf's, with what is in it",
  kustomization: "kubernetes, runai: `true` keeps a kustomization.yaml beside the manifests",
  scope: "runai: `cluster`, `department` or `project`; opensvc: `node` or `namespace`; required there",
  clear:
    "kubernetes, runai: `true` writes Secrets into a folder of a working tree of git too, where base64 hides nothing",
  project: "runai: the project, where it is one",
  projects: "runai: the projects, whose namespaces are `runai-NAME`; in a cluster also `all`",
  department: "runai: id of the department",
  services:
    "opensvc: services of the namespace that use the sec object, as `web`, or `api/container#1` for one section",
  version: "opensvc: `2` or `3`, where `om` does not tell",
  labels: "runai: `old` for the label of the first Run:ai versions; `new` is the default",
  file: "the file to write where the consumer's own default is not the one",
  helper: "docker: `wharf` writes `credHelpers` entries for docker-credential-wharf instead of secrets",
  "bin-dir":
    "docker with `helper: wharf`, kubelet-plugin: absolute folder in which wharf itself is put, under the name that the program starts it by; where nothing is said, it is expected there",
  executable:
    "with `bin-dir`: the executable to put there, where it is not the one that runs: `dist/wharf`, relative to wharf.yaml (for hosts of another kind)",
  program:
    "apptainer: `singularity` where it is SingularityCE that reads the file; opensvc: `podman` where it runs the containers",
  module:
    "apptainer: path of an environment module to write (`.lua` for Lmod, else Tcl) that sets the login in the environment; for sites that insist, with its dangers",
  vault:
    "ansible: `file` encrypts the whole file, `values` each password, `none` nothing; where nothing is said, as the file is",
  "vault-id": "ansible: label of the vault's password, for a new file or value",
  "vault-password":
    "ansible: where the vault's password comes from: `{ file: F }` (0600), `{ command: [P, …] }` (trusted) or `{ prompt: true }`",
  curl: "enroot: version of curl on the compute nodes, as 7.81; decides whether quotes can be written",
};

export const sourceWords: Keys<typeof configKeys.sources> = {
  vault: "the encrypted file beside wharf.yaml, under the login's name; the default",
  env: "an environment variable: `{ env: HUB_TOKEN }`",
  file: "a file's content without one trailing line break: `{ file: /run/secrets/hub }`",
  command: "what a program prints: `{ command: [pass, show, hub] }`; runs only after `wharf trust`",
  exchange:
    "a short-lived token from a provider's own program: `{ exchange: ecr }`, `acr`, `google`, `ghcr`, or `{ exchange: { helper: ecr-login, lives: 12h } }`, `{ exchange: { command: [make-token], lives: 1h } }`; runs only after `wharf trust`",
  "docker-config": "an existing Docker `config.json`: `{ docker-config: ~/.docker/config.json }`",
  "ansible-vault":
    "a vars file of Ansible's, plain or in Vault: `{ ansible-vault: config/docker-login.yml }` takes the login's entry of `docker_login_registries`; `{ ansible-vault: { file: F, key: a.b, vault-id: ops, vault-password: { file: P } } }` any value. The password comes from a 0600 `file`, a trusted `command`, or `prompt: true`; where nothing is said, from the file that `ANSIBLE_VAULT_PASSWORD_FILE` names, or a question",
  kubernetes:
    "a Secret of a cluster: `{ kubernetes: { context: prod, namespace: ml, name: regcred } }` takes the password of the login's registry and username in its `.dockerconfigjson`, with `key: K` the value under that key; without `context` the current one",
};

/** Environment variables that wharf reads. A test looks for one in the sources that is not here. */
export const environmentWords: Readonly<Record<string, string>> = {
  WHARF_KUBELET_LOGINS:
    "for `wharf-kubelet-provider`: the file of logins that a delivery to `kubelet-plugin` wrote, instead of a wharf.yaml",
  WHARF_CONFIG: "the wharf.yaml to use, where `-c` names none",
  WHARF_CACHE: "the folder that `wharf pull` keeps in what it fetched, where `--cache` names none",
  WHARF_KEY_FILE: "the vault's key, instead of the one in the user's configuration folder",
  WHARF_PASSPHRASE_FILE: "a file with the vault's passphrase, for a vault that has one",
  ANSIBLE_VAULT_PASSWORD_FILE:
    "the file with Ansible Vault's password, where no `vault-password:` says another source",
  WHARF_LOG:
    "least level of the log on standard error of every command but `serve`: `debug`, `info`, `warn` (the default), `error`",
  NO_COLOR: "anything: no colours",
  XDG_CONFIG_HOME: "the configuration folder is `$XDG_CONFIG_HOME/wharf` instead of `~/.config/wharf`",
  HTTPS_PROXY: "proxy for `https://` registries (`HTTP_PROXY` for `http://`)",
  NO_PROXY: "hosts, suffixes, addresses and networks that are reached without a proxy; loopback always is",
};
