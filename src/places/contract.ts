import type { AppError, Context } from "#core";
import type { ProgramFile } from "./program/executable.ts";

/** A file as a place found it. */
export interface PlaceFile {
  readonly bytes: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface WriteOptions {
  /** Permission bits for a new file. An existing file's mode is never widened: the stricter of both is kept. */
  readonly mode: number;
  /** Mode for folders that have to be made. */
  readonly folderMode: number;
}

/** A program to run at a place. Nothing secret stands among its words: what is secret goes in on standard input. */
export interface PlaceCommand {
  readonly argv: readonly [string, ...string[]];
  readonly stdin?: Uint8Array;
  readonly timeoutSeconds: number;
}

/** How a program ended; its exit code is a value. */
export interface CommandResult {
  readonly exitCode: number;
  /** At most 4 MiB; more is an error. */
  readonly stdout: Uint8Array;
  /** The end of it, at most 2,000 bytes. */
  readonly stderr: string;
}

/** Facts about a place that consumers need. */
export interface PlaceFacts {
  readonly home: string;
  readonly user: string;
  readonly uid: number;
  readonly env: Readonly<Record<string, string>>;
  /** A folder in a working tree of git: what is written there may be committed and shown to others. */
  readonly inGit?: boolean;
}

/**
 * Where a consumer lives. Writes are atomic (temporary file in the same folder, fsync, rename, folder fsync): a crash leaves the
 * old or the new file. In a person's home it acts as that person and follows no link out of it (UNSAFE_PATH).
 * Nothing secret reaches a command line, an environment or a log.
 */
export interface Place {
  /** As in wharf.yaml: `local`, `folder:DIR`. */
  readonly name: string;
  facts(context: Context): Promise<PlaceFacts>;
  /** undefined when there is no such file; PERMISSION_DENIED when it may not be read. */
  read(context: Context, path: string): Promise<PlaceFile | undefined>;
  write(context: Context, path: string, bytes: Uint8Array, options: WriteOptions): Promise<void>;
  /**
   * Would a secret be refused there, because somebody else may write to a folder above it: UNSAFE_PATH, as `write` throws it. What else
   * may go wrong is left to `write`. Not there where there are no folders.
   */
  refuseOpen?(context: Context, path: string): Promise<void>;
  /** Gone afterwards; no error when it was not there. Never removes folders. */
  remove(context: Context, path: string): Promise<void>;
  /** Names in a folder, sorted; empty when it is not there. */
  list(context: Context, path: string): Promise<readonly string[]>;
  /** How many files may be written at once; undefined: one after another, and what fails stops those behind it. */
  readonly atOnce?: number;
  /** Present where the place is a Kubernetes API. */
  readonly cluster?: Cluster;
  /** Is this program on the place's PATH, and which version does it print; undefined when it is not there. */
  version(context: Context, program: string): Promise<string | undefined>;
  /**
   * Runs a program there, as whoever the place is, with no shell between; undefined when it is not on PATH. Throws PROGRAM_FAILED where it
   * takes longer or prints more than it may. Not there for a folder or a Kubernetes API, where nothing runs.
   */
  run?(context: Context, command: PlaceCommand): Promise<CommandResult | undefined>;
  /** Present where the executable can be put. */
  readonly programs?: ProgramPlace;
}

/** What a place does with the executable of wharf, of a hundred megabytes. Its folder must be one that nobody else may write to. */
export interface ProgramPlace {
  /** Throws UNSUPPORTED where the machine, or its C library, is another than the program is for. */
  requireFit(context: Context, program: ProgramFile): Promise<void>;
  /** sha256, in hex, of the file at a path; undefined when there is none. */
  digest(context: Context, path: string): Promise<string | undefined>;
  /**
   * Puts it there, 0755, atomically as `write` does, after it has been started there once. Streamed: it is never in memory for each place.
   * Throws UNSUPPORTED where it does not start.
   */
  install(context: Context, path: string, program: ProgramFile): Promise<void>;
}

/** An image that a pod is to pull, as its ServiceAccount or with a Secret of its own. */
export interface CanaryPull {
  readonly namespace: string;
  readonly image: string;
  readonly serviceAccount?: string;
  readonly pullSecret?: string;
  readonly timeoutSeconds: number;
}

/**
 * What a Kubernetes API has besides. Its files are objects, `/namespaces/NAMESPACE/secrets/NAME` and `…/serviceaccounts/NAME` (#core,
 * `renderObjectPath`), as one line of JSON without anything that differs from namespace to namespace:
 * a Secret `{"labels":{…},"type":"…","immutable":true,"data":{"KEY":"base64"}}` (all labels; written are those in the text, under our
 * field manager, so that others' stay; `"force":true` takes fields over from another manager);
 * a ServiceAccount `{"imagePullSecrets":["a","b"]}`, which must be there already: NOT_FOUND.
 * What changed between read and write throws CONFLICT with `details.stale`: read, merge and write again.
 */
export interface Cluster {
  /** The namespaces that a delivery's options mean, sorted: `namespaces:` a list, `all` or `{selector}`; `namespace:`; else the context's own. */
  namespaces(context: Context, options: Readonly<Record<string, unknown>>): Promise<readonly string[]>;
  /** The object at a path of the API (`/apis/GROUP/VERSION/…`); undefined where it, or its kind, is not there. Throws DENIED. */
  object(context: Context, path: string): Promise<unknown>;
  /**
   * Has a pod of the namespace pull an image and run nothing of it; the pod is gone afterwards. Gives the node that pulled. Throws DENIED
   * where pods may not be made, REGISTRY_FAILED with the kubelet's words where it was not pulled, UNREACHABLE where that was not known in time.
   */
  pull(context: Context, canary: CanaryPull): Promise<string>;
  /** The names of the Secrets that a pod is given, in its order: a pod's own, or those that a new pod of a ServiceAccount gets. Throws NOT_FOUND. */
  pullSecrets(context: Context, of: PodOwner): Promise<readonly string[]>;
  /**
   * Reads the ServiceAccounts of a namespace (undefined: of all) and the Secrets that pods pull with, or were meant to: of that type, with
   * labels of Run:ai, or named by a ServiceAccount. What may not be read is in `refused`.
   */
  survey(context: Context, namespace: string | undefined): Promise<ClusterSurvey>;
  /**
   * Tells the namespace of each object that is there and of each that changes, until the context ends; broken streams are begun again.
   * Throws DENIED and UNAUTHORIZED where it may not be watched.
   */
  observe(context: Context, observed: Observed, tell: (namespace: string) => void): Promise<void>;
  /**
   * Writes a warning about the object at a path of this place into the events of its namespace; the same one again is counted there.
   * false where the object is not there. Throws DENIED.
   */
  announce(context: Context, path: string, event: ClusterEvent): Promise<boolean>;
  /** What `writeKept` wrote there; undefined for nothing. Throws DENIED; CONFIG_INVALID where it is something else. */
  readKept(context: Context, at: KeptIn): Promise<Uint8Array | undefined>;
  /** Keeps bytes in a Secret of that name, in place of what it held. Throws DENIED; TOO_LARGE beyond 1 MiB, compressed. */
  writeKept(context: Context, at: KeptIn, bytes: Uint8Array): Promise<void>;
  /** Runs `work` while this process holds the Lease, each time that it gets it, until the context ends. Throws what `work` throws. */
  lead(context: Context, lease: LeaseOf, work: (context: Context) => Promise<void>): Promise<void>;
}

/** What a cluster has of ServiceAccounts and pull secrets; by their paths. */
export interface ClusterSurvey {
  readonly accounts: readonly {
    readonly path: string;
    /** In the order of its list. */
    readonly pullSecrets: readonly { readonly name: string; readonly path: string }[];
  }[];
  /** Manifests of Secrets, as JSON. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Secrets that a ServiceAccount names and that are not there. */
  readonly missing: ReadonlySet<string>;
  /** What may not be read: `/serviceaccounts`, `/namespaces/NAMESPACE/secrets`, or one Secret. */
  readonly refused: readonly { readonly path: string; readonly error: AppError }[];
}

/** A Secret in which bytes are kept. */
export interface KeptAt {
  readonly namespace: string;
  readonly name: string;
}

/** As `KeptAt`; where no namespace is named, the connection's own. */
export type KeptIn = Omit<KeptAt, "namespace"> & { readonly namespace: string | undefined };

/** What an Event says; nothing secret. */
export interface ClusterEvent {
  /** One word, as `LoginExpired`: at most 128 characters. */
  readonly reason: string;
  /** What somebody has to do, one word. */
  readonly action: string;
  /** The sentence: at most 1,024 characters. The same reason and note about the same object is the same event. */
  readonly note: string;
  readonly time: Date;
  /** How often it was said, this time with it. */
  readonly count: number;
  /** The process that says it: at most 128 characters. */
  readonly reporter: string;
}

/** Whose pull secrets are asked for. */
export interface PodOwner {
  readonly namespace: string;
  readonly kind: "pods" | "serviceaccounts";
  readonly name: string;
}

/** Which objects of a cluster matter: those of these names. */
export interface Observed {
  /** undefined: in all of the cluster. */
  readonly namespaces: readonly string[] | undefined;
  readonly secrets: readonly string[];
  readonly accounts: readonly string[];
}

/** A Lease and who wants it. */
export interface LeaseName {
  readonly namespace: string;
  readonly name: string;
  /** Different in each process. */
  readonly holder: string;
}

/** As `LeaseName`; where no namespace is named, the connection's own. */
export type LeaseOf = Omit<LeaseName, "namespace"> & { readonly namespace: string | undefined };
