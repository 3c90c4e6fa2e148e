import type { Database } from "bun:sqlite";
import { AppError } from "#core";
import { createPage, type Page, type PageRequest } from "./page.ts";
import { isUniqueViolation } from "./sqlite-error.ts";

/** A named secret of a user or a robot; the secret itself is not here, only its hash is kept. Times are milliseconds since 1970. */
export interface Token {
  readonly id: number;
  readonly accountId: number;
  readonly name: string;
  readonly createdAt: number;
  /** undefined: does not expire. */
  readonly expiresAt: number | undefined;
  /** To the minute; undefined: never used. */
  readonly lastUsedAt: number | undefined;
  /** undefined: in force. */
  readonly revokedAt: number | undefined;
}

/** The account behind a proof, as it is now. */
export interface AccountState {
  readonly id: number;
  readonly name: string;
  readonly kind: "user" | "robot";
  readonly admin: boolean;
  readonly disabled: boolean;
  readonly project: string | undefined;
  readonly canPush: boolean;
  readonly canDelete: boolean;
  readonly passwordChangedAt: number;
}

/** What one look at the database tells of a token's secret. */
export interface TokenProof {
  readonly tokenId: number;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
  readonly account: AccountState;
}

/** Tokens. Everything here is called inside `read` or `write` (touching "access", but for `markUsed`). */
export interface TokenStore {
  /** By SHA-256 of the secret. The hot path: one indexed look. */
  proofByHash(hash: Uint8Array): TokenProof | undefined;
  proofById(tokenId: number): TokenProof | undefined;
  account(accountId: number): AccountState | undefined;
  find(accountId: number, tokenId: number): Token | undefined;
  /** Oldest first; `after` is an id. Revoked ones are listed too. */
  list(accountId: number, page: PageRequest): Page<Token>;
  /** Not revoked; expired ones count. */
  countActive(accountId: number): number;
  /** Throws ALREADY_EXISTS when a token of that account in force has that name. */
  create(token: {
    readonly accountId: number;
    readonly name: string;
    readonly hash: Uint8Array;
    readonly createdAt: number;
    readonly expiresAt: number | undefined;
  }): Token;
  /** Throws ALREADY_EXISTS when a token of that account in force has that name. */
  rename(accountId: number, tokenId: number, name: string): void;
  /** False when it is not there or was revoked before. */
  revoke(accountId: number, tokenId: number, at: number): boolean;
  /** Changes no answer, so it touches nothing. */
  markUsed(tokenId: number, at: number): void;
}

interface TokenRow {
  readonly id: number;
  readonly account_id: number;
  readonly name: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly last_used_at: number | null;
  readonly revoked_at: number | null;
}

interface AccountRow {
  readonly account_id: number;
  readonly account_name: string;
  readonly kind: "user" | "robot";
  readonly admin: number;
  readonly disabled: number;
  readonly project: string | null;
  readonly can_push: number;
  readonly can_delete: number;
  readonly password_changed_at: number;
}

interface ProofRow extends AccountRow {
  readonly id: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
}

const COLUMNS = "id, account_id, name, created_at, expires_at, last_used_at, revoked_at";
const ACCOUNT = `accounts.id AS account_id, accounts.name AS account_name, kind, admin, disabled, can_push, can_delete,
  password_changed_at, (SELECT name FROM projects WHERE projects.id = accounts.project_id) AS project`;
const PROOF = `SELECT tokens.id AS id, expires_at, revoked_at, ${ACCOUNT}
  FROM tokens JOIN accounts ON accounts.id = tokens.account_id`;

export function createTokenStore(db: Database): TokenStore {
  const byHash = db.prepare<ProofRow, [Uint8Array]>(`${PROOF} WHERE tokens.hash = ?`);
  const byId = db.prepare<ProofRow, [number]>(`${PROOF} WHERE tokens.id = ?`);
  const account = db.prepare<AccountRow, [number]>(`SELECT ${ACCOUNT} FROM accounts WHERE id = ?`);
  const find = db.prepare<TokenRow, [number, number]>(
    `SELECT ${COLUMNS} FROM tokens WHERE account_id = ? AND id = ?`,
  );
  const list = db.prepare<TokenRow, [number, number, number]>(
    `SELECT ${COLUMNS} FROM tokens WHERE account_id = ? AND id > ? ORDER BY id LIMIT ?`,
  );
  const countActive = db.prepare<{ count: number }, [number]>(
    "SELECT count(*) AS count FROM tokens WHERE account_id = ? AND revoked_at IS NULL",
  );
  const insert = db.prepare<TokenRow, [number, string, Uint8Array, number, number | null]>(
    `INSERT INTO tokens (account_id, name, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?) RETURNING ${COLUMNS}`,
  );
  const rename = db.prepare<never, [string, number, number]>(
    "UPDATE tokens SET name = ? WHERE account_id = ? AND id = ?",
  );
  const revoke = db.prepare<never, [number, number, number]>(
    "UPDATE tokens SET revoked_at = ? WHERE account_id = ? AND id = ? AND revoked_at IS NULL",
  );
  const markUsed = db.prepare<never, [number, number]>(
    "UPDATE tokens SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?",
  );
  return {
    proofByHash(hash) {
      const row = byHash.get(hash);
      return row === null ? undefined : toProof(row);
    },
    proofById(tokenId) {
      const row = byId.get(tokenId);
      return row === null ? undefined : toProof(row);
    },
    account(accountId) {
      const row = account.get(accountId);
      return row === null ? undefined : toAccount(row);
    },
    find(accountId, tokenId) {
      const row = find.get(accountId, tokenId);
      return row === null ? undefined : toToken(row);
    },
    list(accountId, { after, limit }) {
      const rows = list.all(accountId, Number(after ?? 0), limit + 1);
      return createPage(rows, limit, { item: toToken, key: (row) => String(row.id) });
    },
    countActive: (accountId) => countActive.get(accountId)?.count ?? 0,
    create: ({ accountId, name, hash, createdAt, expiresAt }) =>
      refuseTwins(name, () => {
        const row = insert.get(accountId, name, hash, createdAt, expiresAt ?? null);
        return toToken(row as TokenRow);
      }),
    rename: (accountId, tokenId, name) => refuseTwins(name, () => void rename.run(name, accountId, tokenId)),
    revoke: (accountId, tokenId, at) => revoke.run(at, accountId, tokenId).changes > 0,
    markUsed: (tokenId, at) => void markUsed.run(at, tokenId),
  };
}

function refuseTwins<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause;
    throw new AppError("ALREADY_EXISTS", `there is a token ${JSON.stringify(name)} of this account already`, {
      hint: "choose another name, or revoke the old one first",
      cause,
    });
  }
}

function toToken(row: TokenRow): Token {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
  };
}

function toAccount(row: AccountRow): AccountState {
  return {
    id: row.account_id,
    name: row.account_name,
    kind: row.kind,
    admin: row.admin === 1,
    disabled: row.disabled === 1,
    project: row.project ?? undefined,
    canPush: row.can_push === 1,
    canDelete: row.can_delete === 1,
    passwordChangedAt: row.password_changed_at,
  };
}

function toProof(row: ProofRow): TokenProof {
  return {
    tokenId: row.id,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    account: toAccount(row),
  };
}
