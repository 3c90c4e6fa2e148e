import { createHash } from "node:crypto";
import { join } from "node:path";
import { type BlobStore, openFolderStore } from "#blobs";
import { type LogFields, silentLogger } from "#core";
import { createRegistry, type Registry, type RegistryLimits } from "#registry";
import { type AccountsFixture, basic, createAccountsFixture } from "./accounts.ts";

/** A registry on loopback over a temporary folder, with real access control, and short ways to talk to it. */
export interface RegistryFixture {
  readonly accounts: AccountsFixture;
  readonly blobs: () => BlobStore;
  readonly url: string;
  /** Constant messages of errors that were logged. */
  readonly logged: { readonly message: string; readonly fields: LogFields | undefined }[];
  /** One request; `as` is an Authorization header. Redirects are not followed. */
  readonly ask: (
    method: string,
    path: string,
    options?: {
      as?: string | undefined;
      body?: string | Uint8Array<ArrayBuffer> | ReadableStream | URLSearchParams;
      headers?: Record<string, string>;
    },
  ) => Promise<Response>;
  /** A user with a role in `team`; gives the Authorization header of one of its tokens. */
  readonly member: (
    name: string,
    roles: Readonly<Record<string, "guest" | "developer" | "maintainer">>,
  ) => Promise<string>;
  /** Pushes a blob in one request; gives its digest. */
  readonly pushBlob: (repository: string, bytes: Uint8Array<ArrayBuffer>, as: string) => Promise<string>;
  /** The same data under a new registry, as after a restart. */
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function createRegistryFixture(limits: Partial<RegistryLimits> = {}): Promise<RegistryFixture> {
  const accounts = await createAccountsFixture();
  const dir = join(accounts.dir, "blobs");
  const logged: { message: string; fields: LogFields | undefined }[] = [];
  const log = {
    ...silentLogger,
    error: (message: string, fields?: LogFields) => void logged.push({ message, fields }),
  };
  let blobs = await openFolderStore({ dir });
  const build = (): Registry =>
    createRegistry({
      catalog: accounts.catalog,
      access: accounts.access,
      blobs,
      log,
      limits,
      clock: accounts.clock,
    });
  let registry = build();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    maxRequestBodySize: 1024 * 1024 * 1024,
    fetch: (request, self) =>
      registry.fetch(request, { address: self.requestIP(request)?.address ?? "", secure: false }),
  });
  const url = server.url.origin;

  const ask: RegistryFixture["ask"] = (method, path, { as, body, headers = {} } = {}) =>
    fetch(`${url}${path}`, {
      method,
      redirect: "manual",
      headers: { ...(as === undefined ? {} : { authorization: as }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
  return {
    accounts,
    blobs: () => blobs,
    url,
    logged,
    ask,
    async member(name, roles) {
      const id = await accounts.user(name, { roles });
      return basic(name, (await accounts.token(id)).secret);
    },
    async pushBlob(repository, bytes, as) {
      const digest = digestOf(bytes);
      const response = await ask("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
        as,
        body: bytes,
      });
      if (response.status !== 201)
        throw new Error(`pushing a blob: ${response.status} ${await response.text()}`);
      return digest;
    },
    async restart() {
      await blobs.close();
      blobs = await openFolderStore({ dir });
      registry = build();
    },
    async close() {
      await server.stop(true);
      await blobs.close();
      await accounts.close();
    },
  };
}

export function digestOf(bytes: Uint8Array | string, algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}
