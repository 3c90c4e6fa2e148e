import { createRoute, z } from "@hono/zod-openapi";
import type { Caller } from "#access";
import type { Token } from "#catalog";
import { AppError, parseName } from "#core";
import type { ApiApp, ApiDependencies } from "../app.ts";
import { CreatedToken, NewToken, TokenChange, TokenDocument, toTokenDocument } from "../documents.ts";
import {
  jsonAnswer,
  jsonBody,
  listOf,
  PageQuery,
  pathParam,
  problems,
  security,
  toPageRequest,
} from "../route-parts.ts";
import { createToken, type Lifetime, parseTokenId, tokenUnknown } from "../token-rules.ts";

/** Whose tokens a path is about: looked up through what the path names, with the caller's right to it (no id alone is trusted). */
export interface TokenOwner {
  readonly accountId: number;
  readonly username: string;
}

/** One place where tokens hang: of a user, of a project's robot, of a site robot. */
export interface TokenPlace {
  /** Path of the account, with the parameters `names` in it. */
  readonly prefix: string;
  readonly names: readonly string[];
  /** Words of the summaries: "a user". */
  readonly of: string;
  readonly defaultDays: number;
  /** Called inside the transaction. Throws like `authorizeProject`. */
  find(caller: Caller, path: Readonly<Record<string, string>>): TokenOwner;
  /** When a new token ends. */
  expiry(caller: Caller, owner: TokenOwner, lifetime: Lifetime): number | undefined;
}

// More than anybody rotates; a bound for lists and for mistakes in loops.
const MAX_TOKENS = 200;

/** Listing, making and revoking tokens at one place. */
export function addTokenRoutes(app: ApiApp, deps: ApiDependencies, place: TokenPlace): void {
  const { catalog, now } = deps;
  const params = z.object(Object.fromEntries(place.names.map((name) => [name, pathParam(name)])));
  const tags = ["tokens"];

  const list = createRoute({
    method: "get",
    path: `${place.prefix}/tokens`,
    tags,
    security,
    summary: `The tokens of ${place.of}, oldest first, revoked ones too`,
    request: { params, query: PageQuery },
    responses: { 200: jsonAnswer(listOf(TokenDocument), "A page of tokens."), ...problems },
  });
  const create = createRoute({
    method: "post",
    path: `${place.prefix}/tokens`,
    tags,
    security,
    summary: `Makes a token of ${place.of}; its secret is shown this once. It ends after ${place.defaultDays} days unless said`,
    request: { params, body: jsonBody(NewToken) },
    responses: { 201: jsonAnswer(CreatedToken, "The token with its secret."), ...problems },
  });
  const tokenParams = params.extend({ token: pathParam("token") });
  const show = createRoute({
    method: "get",
    path: `${place.prefix}/tokens/{token}`,
    tags,
    security,
    summary: `One token of ${place.of}`,
    request: { params: tokenParams },
    responses: { 200: jsonAnswer(TokenDocument, "The token."), ...problems },
  });
  const update = createRoute({
    method: "patch",
    path: `${place.prefix}/tokens/{token}`,
    tags,
    security,
    summary: `Renames a token of ${place.of}`,
    request: { params: tokenParams, body: jsonBody(TokenChange) },
    responses: { 200: jsonAnswer(TokenDocument, "The token."), ...problems },
  });
  const revoke = createRoute({
    method: "delete",
    path: `${place.prefix}/tokens/{token}`,
    tags,
    security,
    summary: `Revokes a token of ${place.of}; it is refused from the next request on`,
    request: { params: tokenParams },
    responses: { 204: { description: "It is revoked." }, ...problems },
  });

  app.openapi(list, (c) => {
    const page = catalog.read(() => {
      const { accountId } = place.find(c.get("caller"), c.req.valid("param"));
      return catalog.tokens.list(accountId, checkAfter(toPageRequest(c.req.valid("query"))));
    });
    const time = now();
    return c.json(
      { items: page.items.map((token) => toTokenDocument(token, time)), next: page.next ?? null },
      200,
    );
  });

  app.openapi(create, async (c) => {
    const caller = c.get("caller");
    const { name, expiresInDays } = c.req.valid("json");
    const document = await catalog.write(["access"], () => {
      const owner = place.find(caller, c.req.valid("param"));
      const time = now();
      if (catalog.tokens.countActive(owner.accountId) >= MAX_TOKENS)
        throw new AppError("CONFLICT", `there are ${MAX_TOKENS} tokens of this account in force already`, {
          hint: "revoke some that are not used",
        });
      const lifetime = { days: expiresInDays, defaultDays: place.defaultDays, now: time };
      const expiresAt = place.expiry(caller, owner, lifetime);
      const { token, secret } = createToken(catalog, {
        accountId: owner.accountId,
        name,
        now: time,
        expiresAt,
      });
      // The one answer that a secret is meant for.
      return { ...toTokenDocument(token, time), username: owner.username, secret: secret.reveal() };
    });
    return c.json(document, 201);
  });

  /** The token through its account, with the caller's right to that. Called inside a transaction. */
  function findToken(caller: Caller, path: Readonly<Record<string, string>>): Token {
    const { accountId } = place.find(caller, path);
    const id = parseTokenId(path["token"] ?? "");
    const token = id === undefined ? undefined : catalog.tokens.find(accountId, id);
    if (token === undefined) throw tokenUnknown();
    return token;
  }

  app.openapi(show, (c) => {
    const token = catalog.read(() => findToken(c.get("caller"), c.req.valid("param")));
    return c.json(toTokenDocument(token, now()), 200);
  });

  app.openapi(update, async (c) => {
    const { name } = c.req.valid("json");
    const renamed = await catalog.write(["access"], () => {
      const token = findToken(c.get("caller"), c.req.valid("param"));
      if (name !== undefined) catalog.tokens.rename(token.accountId, token.id, parseName("token", name));
      return catalog.tokens.find(token.accountId, token.id) ?? token;
    });
    return c.json(toTokenDocument(renamed, now()), 200);
  });

  app.openapi(revoke, async (c) => {
    await catalog.write(["access"], () => {
      const token = findToken(c.get("caller"), c.req.valid("param"));
      catalog.tokens.revoke(token.accountId, token.id, now());
    });
    return c.body(null, 204);
  });
}

function checkAfter<T extends { readonly after?: string | undefined }>(page: T): T {
  if (page.after !== undefined && parseTokenId(page.after) === undefined)
    throw new AppError("INVALID_INPUT", "after: not what a list gave as next");
  return page;
}
