import type { VaultPassword } from "#ansible";
import type { Secret } from "#core";

/** A program that reads logins. The list of all is `all.ts`. */
export type ConsumerName =
  | "docker"
  | "podman"
  | "apptainer"
  | "enroot"
  | "kubernetes"
  | "kubelet"
  | "kubelet-plugin"
  | "k3s"
  | "rke2"
  | "gitlab"
  | "crio"
  | "containerd"
  | "runai"
  | "ansible"
  | "opensvc";

/** A login with its secret, ready to be written into a program's file. */
export interface ConsumerLogin {
  /** Name in wharf.yaml. */
  readonly name: string;
  /** Canonical `host[:port]`, Hub folded to `docker.io`. */
  readonly registry: string;
  /** Path under the registry that the login is for, without slashes at the ends; undefined: all of the registry. */
  readonly path: string | undefined;
  readonly username: string;
  readonly secret: Secret;
  /** An OAuth2 identity (refresh) token instead of a password. */
  readonly identityToken?: boolean;
  /** Hosts of the token endpoints that the registry names, without port, where known (curl under Enroot needs them). */
  readonly realmHosts?: readonly string[];
  /** The private CA of the registry, PEM. */
  readonly ca?: string;
  readonly expires?: Date;
}

/** Facts of one target that decide where and how a program reads. Pure data: places find it out. */
export interface Target {
  /** Absolute home folder of the user whose program it is. */
  readonly home: string;
  readonly user: string;
  readonly uid: number;
  /** The environment that the program will see, as far as known. */
  readonly env: Readonly<Record<string, string>>;
  /** A folder in a working tree of git: what is written there may be committed and shown to others. */
  readonly inGit?: boolean;
  /** Version of the program where known, as it prints it ("28.2.2"). */
  readonly version?: string;
  /** Versions of other programs there that matter, by name, where known (`curl` under Enroot). */
  readonly versions?: Readonly<Record<string, string>>;
  /** Hosts of the token endpoints of registries, without port, by registry, where known. */
  readonly realmHosts?: Readonly<Record<string, readonly string[]>>;
  /** Passwords of Ansible Vault for the consumer ansible, the one to encrypt with first; undefined: none was asked for. */
  readonly vaultPasswords?: readonly VaultPassword[];
  /** What stands for the executable that `bin-dir:` is given (`renderProgramMark` of #core); undefined: none is asked for. */
  readonly executable?: string;
  /** Options of the delivery in wharf.yaml (`name`, `namespaces`, …), as written. */
  readonly options?: Readonly<Record<string, unknown>>;
  /**
   * Present where the place is a Kubernetes API: the namespaces that the delivery's options mean, as they are there. Documents have then
   * the paths of objects (`renderObjectPath` of #core) and are what `kubernetes/secret-object.ts` says.
   */
  readonly namespaces?: readonly string[];
  /** Objects of that API that the consumer asks for (`inCluster`), by their paths, as far as they are there and may be read. */
  readonly objects?: ReadonlyMap<string, unknown>;
}

/** One entry of a document: what the program looks a login up by. */
export interface Entry {
  /** As it stands in the file (`https://index.docker.io/v1/`, `machine nvcr.io`, …). */
  readonly key: string;
  /** Login it came from. */
  readonly login: string;
  /** The entry's content in the consumer's own form; secret. */
  readonly content: Secret;
  /** What the program will send, where it is not the login's secret to the letter (a JSON key in one line under Enroot). */
  readonly sends?: Secret;
}

/**
 * A file that a consumer wants. Whole files (a CA certificate) have no entries but a body. A file with entries may have a `body` too:
 * the text around them where the file is not there yet (the YAML above a Secret's data). A body never holds a secret.
 */
export interface FileDocument {
  readonly kind: "file";
  /** Absolute path on the target. */
  readonly path: string;
  /** 0o600 or tighter for secrets; 0o644 for certificates. */
  readonly mode: number;
  readonly entries: readonly Entry[];
  readonly body?: string;
  /** Folders above it that must be made are made with this mode. */
  readonly folderMode: number;
  /** Of the consumer ansible alone: how its file is written. */
  readonly vars?: VarsRules;
}

/** How a vars file of Ansible's is written. */
export interface VarsRules {
  /** The list's variable. */
  readonly variable: string;
  /** Encrypted whole, value by value, or not at all; undefined: as the file is, and a new one in clear. */
  readonly vault: "file" | "values" | "none" | undefined;
  /** The one to encrypt with first. */
  readonly passwords: readonly VaultPassword[];
}

/** Something that a consumer cannot do for a login, with the nearest thing that works. */
export interface Refusal {
  readonly login: string;
  readonly reason: string;
  readonly hint?: string;
}

/** Something that works, but that somebody should know. `wider`: used for more images than the login says, on the same host. */
export interface Warning {
  readonly kind: "wider" | "shadowed" | "danger" | "format";
  readonly login?: string;
  readonly message: string;
  readonly hint?: string;
}

export interface Compiled {
  readonly documents: readonly FileDocument[];
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly Warning[];
}

/** The change of one entry. Never holds the secret. */
export interface EntryChange {
  readonly key: string;
  readonly login: string | undefined;
  readonly action: "add" | "update" | "remove" | "keep";
  /** For update: what differs, in words ("secret", "username"). */
  readonly differs?: readonly string[];
}

/** A document merged into what is there. */
export interface Merged {
  /** The new content; the same bytes as before when nothing changes. undefined: the file is to be removed (it held only ours). */
  readonly content: Uint8Array | undefined;
  readonly changes: readonly EntryChange[];
  readonly warnings: readonly Warning[];
  /** Entries that were left out since what is in the file makes them useless (somebody's credHelpers for the same host). */
  readonly refusals: readonly Refusal[];
}

/** What a program would use for an image. */
export interface Match {
  readonly file: string;
  readonly key: string;
  readonly username: string;
  readonly secret: Secret;
  readonly identityToken: boolean;
  /** Entries or files that would have served but for this one, and the reverse: why nothing of ours is reached. */
  readonly shadows: readonly string[];
}

/** The answer of a reader. `anonymous` says why there is no login ("no file", "no entry for this host", …). */
export type MatchAnswer =
  | { readonly kind: "login"; readonly match: Match }
  | {
      readonly kind: "helper";
      readonly file: string;
      readonly key: string;
      readonly helper: string;
      readonly shadows: readonly string[];
    }
  | { readonly kind: "anonymous"; readonly why: string; readonly searched: readonly string[] }
  | { readonly kind: "broken"; readonly file: string; readonly why: string };

/** What a program can express. Data, so that plans and docs are made from it. */
export interface Abilities {
  /** Finest scope of an entry. */
  readonly scope: "registry" | "path" | "repository";
  readonly identityTokens: boolean;
  readonly severalPerHost: boolean;
  readonly takesEffect:
    | { readonly when: "now" }
    | { readonly when: "after"; readonly seconds: number }
    | {
        readonly when: "on restart";
        readonly of: string;
        /** Units of systemd that run it, any of them on a node; none: it is nothing that systemd restarts. */
        readonly units: readonly string[];
        /** Ends of the paths whose change needs the restart; undefined: all. */
        readonly files?: readonly string[];
      };
  /** Its files are read apart: each is all that some pods of a cluster are given. Without it they are one search path. */
  readonly readsApart?: boolean;
  /** How this consumer is proved, for docs/proof.md and the command's help. */
  readonly proof: string;
}

/** What a consumer needs to know of a cluster. */
export interface ClusterNeeds {
  readonly options: Readonly<Record<string, unknown>>;
  readonly objects: readonly string[];
}

/** A consumer: a writer and a reader. Pure: no I/O, no clock, no environment but the target's. */
export interface Consumer {
  readonly name: ConsumerName;
  /** One line for help and docs. */
  readonly summary: string;
  readonly abilities: Abilities;
  /** Logins to documents, or refusals. Never throws for a login it cannot express. */
  compile(logins: readonly ConsumerLogin[], target: Target): Compiled;
  /**
   * Merges a document into the bytes that are there (undefined: no file). Keeps everything foreign, byte for byte where the syntax allows.
   * `owned` are the keys that we wrote before and may therefore change or remove; a key of the document that is there with other
   * content and is not owned is still replaced, with a warning.
   * Throws FILE_INVALID for a file it cannot parse; the message names line and column where it can, never content.
   */
  merge(current: Uint8Array | undefined, document: FileDocument, owned: ReadonlySet<string>): Merged;
  /**
   * In a cluster: the delivery's options as `namespaces:` has them, and API paths of objects that `compile` goes by. Not there where the
   * options are so written and nothing is looked at. Never throws: wrong options are refused by `compile`.
   */
  inCluster?(options: Readonly<Record<string, unknown>>): ClusterNeeds;
  /** The document by which what is ours is taken out of a file, where that needs more than the file's path. */
  emptyDocument?(path: string, target: Target): FileDocument;
  /** Absolute paths of every file (and of shadowing ones) that the reader must be given for this target, in the program's search order. */
  files(target: Target): readonly string[];
  /** Which entry the program would use for an image reference, by the program's own rules. */
  match(files: ReadonlyMap<string, Uint8Array>, image: string, target: Target): MatchAnswer;
}
