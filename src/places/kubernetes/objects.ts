/** The parts of Kubernetes objects that are used here; the rest comes and goes as it is. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
  readonly managedFields?: readonly { readonly manager?: string; readonly operation?: string }[];
}

export interface KubeObject {
  readonly metadata: ObjectMeta;
}

export interface KubeSecret extends KubeObject {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}

export interface KubeServiceAccount extends KubeObject {
  readonly imagePullSecrets?: readonly { readonly name: string }[];
}

/** What admission copied from the ServiceAccount when the pod was made is in it; later changes of that are not. */
export interface KubePod extends KubeObject {
  readonly spec?: { readonly imagePullSecrets?: readonly { readonly name: string }[] };
}

export interface KubeNamespace extends KubeObject {
  readonly status?: { readonly phase?: string };
}

/** A page of a list; with `PartialObjectMetadataList` the items have their metadata alone. */
export interface KubeList<T extends KubeObject> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items: readonly T[] | null;
}

/** What a watch tells. `BOOKMARK` has a newer resourceVersion and nothing else. */
export interface WatchEvent<T extends KubeObject> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: T;
}

/** The `Status` with which the API answers what fails (meta/v1). */
export interface KubeStatus {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly {
      readonly reason?: string;
      readonly field?: string;
      readonly message?: string;
    }[];
  };
}
