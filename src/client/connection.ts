import { AppError, type Context } from "#core";
import { registryHost } from "#oci";
import { fetchFailure, isLoopbackHost, wait } from "#system";
import { type Demand, readDemand } from "./auth-scheme.ts";
import type {
  AuthScheme,
  Credentials,
  Ping,
  RegistryAnswer,
  RegistryClientOptions,
  RegistryRequest,
} from "./contract.ts";
import { askFollowing } from "./redirect.ts";
import { printable, refusal } from "./registry-error.ts";
import { type RetryPolicy, withRetries } from "./retry.ts";
import {
  type BearerScheme,
  type BearerToken,
  basicAuthorization,
  exchangeToken,
  type TokenDoor,
} from "./token-exchange.ts";

const MAX_TOKENS = 256;

/** One registry, its scheme and its tokens: everything below the calls of the distribution specification. */
export class Connection {
  readonly registry: string;
  readonly credentials: Credentials | undefined;
  readonly #options: RegistryClientOptions;
  readonly #policy: RetryPolicy;
  readonly #tokenDoor: TokenDoor;
  readonly #tokens = new Map<string, BearerToken>();
  #ping: Ping | undefined;

  constructor(options: RegistryClientOptions) {
    this.registry = options.registry;
    this.credentials = options.credentials;
    this.#options = options;
    this.#policy = {
      attempts: 5,
      maxWaitMs: 60_000,
      wait: options.wait ?? wait,
      now: options.now ?? Date.now,
    };
    this.#tokenDoor = {
      registry: options.registry,
      realmHosts: options.realmHosts,
      now: this.#policy.now,
      ask: (context, url, request) => this.#askAt(context, url, { ...request, isRepeatable: true }),
    };
  }

  /** What `GET /v2/` says without a login. Asked once, unless it failed. */
  async ping(context: Context): Promise<Ping> {
    this.#ping ??= await this.#pingAny(context);
    return this.#ping;
  }

  /**
   * Sends a request with the login that the registry asks for, and once more with a new token where it refuses the first.
   * Gives the answer back whatever its status; the caller reads or discards it.
   */
  async send(context: Context, request: RegistryRequest): Promise<RegistryAnswer> {
    const { base, auth } = await this.ping(context);
    const url = new URL(request.url, base);
    if (url.protocol === "http:" && base.startsWith("https:")) {
      throw new AppError("REGISTRY_FAILED", `${this.registry} sends us to an address without TLS`, {
        hint: "tell the registry's operator: behind its proxy it takes its own address for http://",
      });
    }
    const isOwn = url.origin === new URL(base).origin;
    const authorization = isOwn ? await this.#authorize(context, auth, request.scopes) : undefined;
    const answer = await this.#askAt(context, url, request, authorization);
    if (answer.status !== 401 || !isOwn || request.body instanceof ReadableStream) return answer;
    const renewed = await this.#renew(context, request, answer, authorization);
    if (renewed === undefined) return answer;
    await answer.discard();
    return this.#askAt(context, url, request, renewed);
  }

  /** As `send`, with this Authorization and no other. For proofs of a login. */
  async sendWith(context: Context, path: string, authorization: string | undefined): Promise<RegistryAnswer> {
    const { base } = await this.ping(context);
    return this.#askAt(context, new URL(path, base), { method: "GET", isRepeatable: true }, authorization);
  }

  /** A fresh token, of these credentials or of none. Nothing is remembered. */
  exchange(
    context: Context,
    scheme: BearerScheme,
    wanted: { readonly scopes: readonly string[]; readonly credentials: Credentials | undefined },
  ): Promise<BearerToken> {
    return exchangeToken(context, this.#tokenDoor, scheme, wanted);
  }

  /** An answer that was not hoped for, as an AppError; reads its body. */
  refusal(answer: RegistryAnswer, doing: string): Promise<AppError> {
    // `send` has asked for a new token after a 401 and got one, or it would have thrown.
    const isLoginTaken = this.credentials !== undefined && this.#ping?.auth.kind === "bearer";
    return refusal(answer, { registry: this.registry, doing, credentials: this.credentials, isLoginTaken });
  }

  async #pingAny(context: Context): Promise<Ping> {
    const host = registryHost(this.registry);
    if (this.#options.plainHttp === true) return this.#pingAt(context, `http://${host}`);
    try {
      return await this.#pingAt(context, `https://${host}`);
    } catch (error) {
      const failure = fetchFailure(error);
      const isPlain = failure === "not-tls" || failure === "reset";
      // A registry on this machine needs no TLS; a certificate that is not trusted is never a reason to go without.
      if (!isPlain || !isLoopbackHost(new URL(`http://${host}`).hostname)) throw error;
      return this.#pingAt(context, `http://${host}`);
    }
  }

  async #pingAt(context: Context, base: string): Promise<Ping> {
    const answer = await this.#askAt(context, new URL("/v2/", base), { method: "GET", isRepeatable: true });
    if (answer.status !== 200 && answer.status !== 401) {
      const error = await this.refusal(answer, "GET /v2/");
      if (error.code !== "REGISTRY_FAILED") throw error;
      throw new AppError("REGISTRY_FAILED", error.message, {
        details: error.details ?? {},
        hint: "check the name: this does not look like a registry",
      });
    }
    await answer.discard();
    const header = answer.headers.get("www-authenticate");
    // Enroot's peers send a challenge on a 200 too; what counts is that nothing was asked for.
    const { auth } = answer.status === 401 ? readDemand(header, base) : { auth: { kind: "none" } as const };
    if (answer.status === 401 && auth.kind === "none") {
      throw new AppError("REGISTRY_FAILED", `${this.registry} answered 401 without saying how to log in`);
    }
    return pingOf(base, auth);
  }

  async #authorize(
    context: Context,
    auth: AuthScheme,
    scopes: readonly string[],
  ): Promise<string | undefined> {
    if (auth.kind === "none") return undefined;
    if (auth.kind === "basic") {
      return this.credentials === undefined ? undefined : basicAuthorization(this.credentials);
    }
    const key = tokenKey(auth, scopes);
    const known = this.#tokens.get(key);
    if (known !== undefined && known.expiresAtMs > this.#policy.now()) return `Bearer ${known.token}`;
    return this.#newToken(context, auth, scopes);
  }

  async #newToken(context: Context, auth: BearerScheme, scopes: readonly string[]): Promise<string> {
    const token = await this.exchange(context, auth, { scopes, credentials: this.credentials });
    // Oldest first out: a client that walks thousands of repositories must not remember all of them.
    const oldest = this.#tokens.keys().next().value;
    if (this.#tokens.size >= MAX_TOKENS && oldest !== undefined) this.#tokens.delete(oldest);
    this.#tokens.set(tokenKey(auth, scopes), token);
    return `Bearer ${token.token}`;
  }

  /** After a 401: the authorization to try again with; undefined when there is nothing else to try. */
  async #renew(
    context: Context,
    request: RegistryRequest,
    answer: RegistryAnswer,
    sent: string | undefined,
  ): Promise<string | undefined> {
    const { base, auth } = await this.ping(context);
    const demand: Demand = readDemand(answer.headers.get("www-authenticate"), base);
    if (auth.kind === "none") this.#ping = pingOf(base, demand.auth);
    // The endpoint named first stays: NGC names another one once a token has expired (nvidia-container-toolkit#1945).
    const known = auth.kind === "none" ? demand.auth : auth;
    if (known.kind === "bearer") {
      const scopes = [...new Set([...request.scopes, ...demand.scopes])];
      const renewed = await this.#newToken(context, known, scopes);
      if (scopes.length !== request.scopes.length) {
        const token = this.#tokens.get(tokenKey(known, scopes));
        if (token !== undefined) this.#tokens.set(tokenKey(known, request.scopes), token);
      }
      return renewed === sent ? undefined : renewed;
    }
    const basic = await this.#authorize(context, known, []);
    return basic === sent ? undefined : basic;
  }

  async #askAt(
    context: Context,
    url: URL,
    request: Omit<RegistryRequest, "url" | "scopes">,
    authorization?: string,
  ): Promise<RegistryAnswer> {
    const { isRepeatable, ...rest } = request;
    const isStream = request.body instanceof ReadableStream;
    const policy = isStream ? { ...this.#policy, attempts: 1 } : this.#policy;
    // A token request brings its own header; it is dropped on redirects like any other.
    const { authorization: own, ...headers } = request.headers ?? {};
    const hop = {
      url,
      request: { ...rest, headers },
      authorization: authorization ?? own,
      ca: this.#options.ca,
    };
    const answer = await withRetries(context, policy, isRepeatable && !isStream, () =>
      askFollowing(context, this.#options.fetch, hop),
    );
    const warning = answer.headers.get("warning");
    // distribution-spec, "Warnings": 299 with a text that clients should show.
    const text = warning === null ? undefined : /^299 - "(.*)"/.exec(warning)?.[1];
    if (text !== undefined) {
      context.log.warn("the registry warns", { registry: this.registry, warning: printable(text) });
    }
    return answer;
  }
}

function pingOf(base: string, auth: AuthScheme): Ping {
  return { base, auth, realmHosts: auth.kind === "bearer" ? [auth.realm.hostname] : [] };
}

function tokenKey(auth: BearerScheme, scopes: readonly string[]): string {
  return `${auth.realm.href} ${[...scopes].sort().join(" ")}`;
}
