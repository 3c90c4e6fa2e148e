import type { Access, Caller } from "#access";
import type { BlobStore } from "#blobs";
import type { Catalog } from "#catalog";
import type { Logger, Secret } from "#core";
import type { Clock } from "#system";
import type { Answers } from "./answers.ts";
import type { RegistryLimits } from "./contract.ts";
import type { Permissions } from "./permissions.ts";
import type { UploadGate } from "./upload-gate.ts";

/** What the endpoints work with. */
export interface Parts {
  readonly catalog: Pick<Catalog, "content" | "generations" | "projects" | "jobs" | "read" | "write">;
  readonly access: Access;
  readonly permissions: Permissions;
  readonly blobs: BlobStore;
  readonly log: Logger;
  readonly limits: RegistryLimits;
  readonly clock: Clock;
  readonly answers: Answers;
  readonly gate: UploadGate;
  /** Says that a job was enqueued. */
  readonly onJob: () => void;
  /** How long a request waits for what is being made, before its client is told to come again. */
  readonly conversionWaitMs: number;
  /** The key that seals upload ids, the same in every process. */
  readonly uploadKey: () => Promise<Secret>;
}

/** One request, after its caller is known. */
export interface Exchange {
  readonly request: Request;
  readonly caller: Caller;
  readonly query: URLSearchParams;
  /** Under which to remember the answer, and the repository's mark from before the caller was looked at; GET and HEAD alone. */
  readonly memory: { readonly key: string; readonly mark: number } | undefined;
}
