import type { AppError, Context, Secret } from "#core";
import type { SshAddress } from "./ssh-address.ts";

/** Where a login's secret comes from. `vault` is the rule; the others stand in wharf.yaml under `password:`. */
export type SecretSource =
  | { readonly kind: "vault" }
  | { readonly kind: "env"; readonly variable: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "command"; readonly argv: readonly string[] }
  | {
      /** A short-lived token, from a provider's own program. */
      readonly kind: "exchange";
      readonly argv: readonly string[];
      /** In what form the program prints it. */
      readonly answer: "text" | "acr" | "google" | "helper";
      /** How long a token lives where the program does not say; undefined: it is asked for each time. */
      readonly livesSeconds: number | undefined;
    }
  | { readonly kind: "docker-config"; readonly path: string }
  | AnsibleVaultSource
  | KubernetesSource;

/** A Secret of a Kubernetes API. */
export interface KubernetesSource {
  readonly kind: "kubernetes";
  /** Of the kubeconfig; undefined: the current one, or the cluster that this runs in. */
  readonly context: string | undefined;
  /** `/namespaces/NAMESPACE/secrets/NAME`. */
  readonly path: string;
  /** The key whose value it is; undefined: the login's entry of `.dockerconfigjson`. */
  readonly key: string | undefined;
}

/** A value of a file of Ansible's, plain or in Vault. */
export interface AnsibleVaultSource {
  readonly kind: "ansible-vault";
  /** Absolute. */
  readonly path: string;
  /** Names and positions that lead to the value; undefined: the login's entry of DeepOps' list. */
  readonly key: readonly string[] | undefined;
  /** The list's variable, where it is not `docker_login_registries`. */
  readonly variable: string | undefined;
  /** Vault-id of the password. */
  readonly label: string | undefined;
  /** undefined: the file that ANSIBLE_VAULT_PASSWORD_FILE names, or a question. */
  readonly password: VaultPasswordSource | undefined;
}

/** Where a password of Ansible Vault comes from. */
export type VaultPasswordSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "command"; readonly argv: readonly string[] }
  | { readonly kind: "prompt" };

/** One login of wharf.yaml, without its secret. */
export interface Login {
  readonly name: string;
  /** Canonical `host[:port]`, Hub folded to `docker.io`. */
  readonly registry: string;
  /** Only images under this path, without slashes at the ends; undefined: all of the registry. */
  readonly path: string | undefined;
  readonly username: string;
  readonly source: SecretSource;
  readonly expires: Date | undefined;
  /** Spoken to without TLS. Loopback registries may always be. */
  readonly plainHttp: boolean;
  /** Absolute path of the PEM file with the registry's private CA. */
  readonly caFile: string | undefined;
  /** Hosts of token endpoints, where another than the registry's answers (curl under Enroot needs them). */
  readonly realmHosts: readonly string[] | undefined;
  readonly identityToken: boolean;
  /** A command that makes a new secret and prints it, for `rotate`; runs only after `wharf trust`. */
  readonly renew: readonly string[] | undefined;
}

/** One line of `deliver:`. */
export interface Delivery {
  /** Name of the consumer, as written. */
  readonly to: string;
  readonly at: DeliveryPlace;
  /** Login names; undefined: all logins. Undefined as well where `users` says who gets what. */
  readonly logins: readonly string[] | undefined;
  /** User → login names. */
  readonly users: ReadonlyMap<string, readonly string[]> | undefined;
  /** What else was written (`name`, `namespace`, …), for the consumer. */
  readonly options: Readonly<Record<string, unknown>>;
  /** `wharf.yaml:12:3`, for messages. */
  readonly where: string;
}

export type DeliveryPlace =
  | { readonly kind: "local"; readonly text: string }
  | { readonly kind: "folder"; readonly text: string; readonly folder: string }
  /** One host, or a list of them: each is a target of its own. */
  | { readonly kind: "ssh"; readonly text: string; readonly hosts: readonly SshAddress[] }
  /** Hosts over SSH that a program of the site names: the place is `ssh` once they are known, or has the `error` why they are not. */
  | {
      readonly kind: "hosts";
      readonly text: string;
      readonly source: HostSource;
      readonly user: string | undefined;
      readonly port: number | undefined;
      readonly sudo: boolean;
      readonly error?: AppError;
    }
  | FleetPlace
  /** A Kubernetes API: a context of the kubeconfig; undefined: the current one, or the cluster that this runs in. */
  | { readonly kind: "k8s"; readonly text: string; readonly context: string | undefined };

/** Hosts that a program of the site knows, and that are reached by it. */
export interface FleetPlace {
  readonly kind: "ansible" | "clush";
  readonly text: string;
  /** A group of Ansible's inventory, or a node set of ClusterShell's; or one host. */
  readonly group: string;
  /** Of Ansible alone. Absolute; undefined: what ansible.cfg says. */
  readonly inventory: string | undefined;
  readonly sudo: boolean;
  /** undefined: not asked for yet, or `error`. Each is a target of its own. */
  readonly hosts: readonly string[] | undefined;
  readonly error?: AppError;
}

/** Where names of hosts come from. */
export interface HostSource {
  readonly program: "ansible" | "slurm";
  /** A group of the inventory, or one host; a partition, or `all`. */
  readonly name: string;
  /** Absolute; undefined: what ansible.cfg says. */
  readonly inventory: string | undefined;
}

/** A parsed wharf.yaml. */
export interface WharfConfig {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
  readonly logins: ReadonlyMap<string, Login>;
  readonly deliveries: readonly Delivery[];
}

/** What a room needs to know of where it runs; `env` and `cwd` are the invocation's. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Asks for the vault's passphrase where no file holds it; undefined where nobody can be asked. */
  readonly askPassphrase?: (question: string) => Promise<Secret>;
  /** Says what takes long, one line for whoever waits; undefined where nobody does. */
  readonly tell?: (text: string) => void;
  /** The data of a Secret (key → base64) by a cluster's context and its path; undefined where it is not there, or where no cluster can be asked. */
  readonly readClusterSecret?: (
    context: Context,
    kubeContext: string | undefined,
    path: string,
  ) => Promise<Readonly<Record<string, string>> | undefined>;
}
