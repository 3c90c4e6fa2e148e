import { Secret } from "#core";

/**
 * The journal of a rotation, sealed in the vault beside the login's secret. The vault's own secret of the login is always the one that
 * is delivered and stays; this says which one leaves, and how far it has come. With it a rotation goes on after any interruption.
 */
export interface Rotation {
  /** What both secrets are bound to. */
  readonly registry: string;
  readonly username: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** `back`: the old secret is put back everywhere, and the new one leaves. */
  readonly direction: "forward" | "back";
  /** Leaves in the end; undefined while a registry of ours is still to make the new one. */
  readonly leaving: Secret | undefined;
  /** Its `expires:`, for going back; ISO 8601. */
  readonly leavingExpires: string | undefined;
  /** A registry of ours that makes and revokes the tokens. */
  readonly issuer: RotationIssuer | undefined;
  /** When every target had the secret that stays, ISO 8601: from then on it is waited until the programs use it. */
  readonly deliveredAt: string | undefined;
}

export interface RotationIssuer {
  /** `http(s)://host[:port]`. */
  readonly url: string;
  /** Of the token that is made: one of this name that nobody holds the secret of is revoked when the rotation goes on. */
  readonly tokenName: string;
  readonly stayingTokenId: number | undefined;
  readonly leavingTokenId: number | undefined;
}

/** As JSON, with the secret: for the sealed vault alone. */
export function renderRotation(rotation: Rotation): Readonly<Record<string, unknown>> {
  return { ...rotation, leaving: rotation.leaving?.reveal() };
}

/** undefined for what is no rotation. */
export function parseRotation(value: unknown): Rotation | undefined {
  if (!isRecord(value)) return undefined;
  const { registry, username, startedAt, direction, leaving, leavingExpires, issuer, deliveredAt } = value;
  if (typeof registry !== "string" || typeof username !== "string" || !isTime(startedAt)) return undefined;
  if (direction !== "forward" && direction !== "back") return undefined;
  if (leaving !== undefined && typeof leaving !== "string") return undefined;
  if (leavingExpires !== undefined && !isTime(leavingExpires)) return undefined;
  if (deliveredAt !== undefined && !isTime(deliveredAt)) return undefined;
  const parsedIssuer = issuer === undefined ? undefined : parseIssuer(issuer);
  if (issuer !== undefined && parsedIssuer === undefined) return undefined;
  return {
    registry,
    username,
    startedAt,
    direction,
    leaving: leaving === undefined ? undefined : new Secret(leaving),
    leavingExpires,
    issuer: parsedIssuer,
    deliveredAt,
  };
}

function parseIssuer(value: unknown): RotationIssuer | undefined {
  if (!isRecord(value)) return undefined;
  const { url, tokenName, stayingTokenId, leavingTokenId } = value;
  if (typeof url !== "string" || typeof tokenName !== "string") return undefined;
  if (!isIdOrNone(stayingTokenId) || !isIdOrNone(leavingTokenId)) return undefined;
  return { url, tokenName, stayingTokenId, leavingTokenId };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTime(value: unknown): value is string {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}

function isIdOrNone(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === "number" && Number.isSafeInteger(value) && value > 0);
}
