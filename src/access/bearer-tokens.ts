import { randomBytes } from "node:crypto";
import type * as Jose from "jose";
import type { SealedSecrets } from "#catalog";
import { AppError, Secret } from "#core";
import type { RepositoryAction } from "./contract.ts";

const ALGORITHM = "HS256";
const ISSUER = "wharf";
const KEY_NAME = "bearer-signing-key";

/** What a Bearer token of ours says. It proves; what its holder may do is looked up at each use. */
export interface BearerClaims {
  /** undefined: made for an anonymous caller. */
  readonly accountId: number | undefined;
  /** The token that it was made from; undefined for a password and for anonymous. */
  readonly tokenId: number | undefined;
  /** When the password was last changed, for one made from a password. */
  readonly passwordChangedAt: number | undefined;
  readonly grants: ReadonlyMap<string, ReadonlySet<RepositoryAction>>;
  /** True when it may list the catalog. */
  readonly catalog: boolean;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface BearerTokens {
  sign(claims: BearerClaims): Promise<string>;
  /** Throws UNAUTHORIZED for a token that is not ours, was changed or has expired. */
  verify(token: string): Promise<BearerClaims>;
}

interface Payload {
  readonly acc?: unknown;
  readonly tok?: unknown;
  readonly pwd?: unknown;
  readonly access?: unknown;
  readonly iat?: unknown;
  readonly exp?: unknown;
}

/**
 * Bearer tokens signed with the key sealed in the catalog, so that every process of the data knows them. `service` is the
 * audience. One algorithm, one key, nothing taken from the token's header (CVE-2025-24976).
 */
export function createBearerTokens(options: {
  readonly sealedSecrets: SealedSecrets;
  readonly service: string;
  readonly now: () => number;
}): BearerTokens {
  const { sealedSecrets, service, now } = options;
  let loaded: Promise<{ readonly jose: typeof Jose; readonly key: Uint8Array }> | undefined;

  // At first use: jose costs 11 ms of the start, and most commands never sign.
  function load(): NonNullable<typeof loaded> {
    loaded ??= Promise.all([
      import("jose"),
      sealedSecrets.readOrCreate(KEY_NAME, () => new Secret(randomBytes(32).toString("base64url"))),
    ]).then(
      ([jose, secret]) => ({ jose, key: Buffer.from(secret.reveal(), "base64url") }),
      (cause: unknown) => {
        // A full disk at the first try must not last for ever.
        loaded = undefined;
        throw cause;
      },
    );
    return loaded;
  }

  return {
    async sign(claims) {
      const { jose, key } = await load();
      return new jose.SignJWT(renderPayload(claims))
        .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
        .setIssuer(ISSUER)
        .setAudience(service)
        .setIssuedAt(claims.issuedAt)
        .setExpirationTime(claims.expiresAt)
        .sign(key);
    },
    async verify(token) {
      const { jose, key } = await load();
      try {
        const { payload } = await jose.jwtVerify(token, key, {
          algorithms: [ALGORITHM],
          issuer: ISSUER,
          audience: service,
          requiredClaims: ["exp", "iat"],
          currentDate: new Date(now()),
        });
        return parsePayload(payload);
      } catch (cause) {
        if (!(cause instanceof jose.errors.JOSEError)) throw cause;
        throw invalidBearer(cause);
      }
    },
  };
}

/** The one answer to a Bearer token that is not in force. */
export function invalidBearer(cause?: unknown): AppError {
  return new AppError("UNAUTHORIZED", "the Bearer token is not valid, or no longer", {
    hint: "ask the token endpoint for a new one",
    cause,
  });
}

function renderPayload(claims: BearerClaims): Record<string, unknown> {
  const access: { type: string; name: string; actions: string[] }[] = [];
  for (const [name, actions] of claims.grants)
    access.push({ type: "repository", name, actions: [...actions] });
  if (claims.catalog) access.push({ type: "registry", name: "catalog", actions: ["*"] });
  return {
    ...(claims.accountId === undefined ? {} : { acc: claims.accountId }),
    ...(claims.tokenId === undefined ? {} : { tok: claims.tokenId }),
    ...(claims.passwordChangedAt === undefined ? {} : { pwd: claims.passwordChangedAt }),
    access,
  };
}

/** The signature says that we wrote it; an older wharf may have written it otherwise. */
function parsePayload(payload: Payload): BearerClaims {
  const grants = new Map<string, ReadonlySet<RepositoryAction>>();
  let catalog = false;
  if (!Array.isArray(payload.access)) throw invalidBearer();
  for (const entry of payload.access as readonly Record<string, unknown>[]) {
    const { type, name, actions } = entry;
    if (typeof name !== "string" || !Array.isArray(actions)) throw invalidBearer();
    if (type === "registry") catalog ||= name === "catalog";
    else if (type === "repository") grants.set(name, new Set(actions.filter(isRepositoryAction)));
  }
  return {
    accountId: optionalNumber(payload.acc),
    tokenId: optionalNumber(payload.tok),
    passwordChangedAt: optionalNumber(payload.pwd),
    grants,
    catalog,
    issuedAt: optionalNumber(payload.iat) ?? 0,
    expiresAt: optionalNumber(payload.exp) ?? 0,
  };
}

function isRepositoryAction(value: unknown): value is RepositoryAction {
  return value === "pull" || value === "push" || value === "delete";
}

function optionalNumber(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw invalidBearer();
  return value;
}
