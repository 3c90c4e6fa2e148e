import { createRoute, z } from "@hono/zod-openapi";
import { type Caller, hashNewPassword, requireAdmin, requireUser } from "#access";
import type { User } from "#catalog";
import { AppError, parseName } from "#core";
import type { ApiApp, ApiDependencies } from "../app.ts";
import { NewUser, PasswordChange, toUserDocument, UserChange, UserDocument } from "../documents.ts";
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
import { DEFAULT_USER_TOKEN_DAYS, expiryWithin } from "../token-rules.ts";
import { addTokenRoutes } from "./tokens.ts";

const params = z.object({ user: pathParam("user") });
const tags = ["users"];

const list = createRoute({
  method: "get",
  path: "/users",
  tags,
  security,
  summary: "All users, by name (admins)",
  request: { query: PageQuery },
  responses: { 200: jsonAnswer(listOf(UserDocument), "A page of users."), ...problems },
});
const create = createRoute({
  method: "post",
  path: "/users",
  tags,
  security,
  summary: "Makes a user (admins)",
  request: { body: jsonBody(NewUser) },
  responses: { 201: jsonAnswer(UserDocument, "The user."), ...problems },
});
const show = createRoute({
  method: "get",
  path: "/users/{user}",
  tags,
  security,
  summary: "One user (admins, and everybody themselves)",
  request: { params },
  responses: { 200: jsonAnswer(UserDocument, "The user."), ...problems },
});
const update = createRoute({
  method: "patch",
  path: "/users/{user}",
  tags,
  security,
  summary: "Changes a user (admins; everybody their own description)",
  request: { params, body: jsonBody(UserChange) },
  responses: { 200: jsonAnswer(UserDocument, "The user."), ...problems },
});
const remove = createRoute({
  method: "delete",
  path: "/users/{user}",
  tags,
  security,
  summary: "Deletes a user with tokens and memberships (admins)",
  request: { params },
  responses: { 204: { description: "They are gone." }, ...problems },
});
const changePassword = createRoute({
  method: "put",
  path: "/users/{user}/password",
  tags,
  security,
  summary: "Changes a password (everybody their own, giving the current one; admins all)",
  request: { params, body: jsonBody(PasswordChange) },
  responses: {
    204: { description: "The new password is in force; the old one and its Bearer tokens are not." },
    ...problems,
  },
});

/** Users, their passwords and tokens. */
export function addUserRoutes(app: ApiApp, deps: ApiDependencies): void {
  const { catalog, access, now, onPasswordChanged } = deps;

  /** Themselves or any for an admin; to others a user who exists and one who does not are the same. */
  function find(caller: Caller, name: string): User {
    const self = requireUser(caller);
    const user = self.admin || self.name === name ? catalog.users.find(name) : undefined;
    if (user !== undefined) return user;
    throw new AppError("NOT_FOUND", `there is no user ${JSON.stringify(name)} that you may see`, {
      hint: "users see themselves; an admin of the registry sees all",
    });
  }

  function keepAnAdmin(): void {
    if (catalog.users.countActiveAdmins() > 0) return;
    throw new AppError("CONFLICT", "the registry would have no admin left", {
      hint: "make somebody else admin first",
    });
  }

  app.openapi(list, (c) => {
    requireAdmin(c.get("caller"));
    const { items, next } = catalog.read(() => catalog.users.list(toPageRequest(c.req.valid("query"))));
    return c.json({ items: items.map(toUserDocument), next: next ?? null }, 200);
  });

  app.openapi(create, async (c) => {
    requireAdmin(c.get("caller"));
    const { name, password, admin, description } = c.req.valid("json");
    checkUserName(name);
    const passwordHash = password === undefined ? undefined : await hashNewPassword(password);
    const user = await catalog.write(["access"], () =>
      catalog.users.create({ name, description, admin, passwordHash, createdAt: now() }),
    );
    return c.json(toUserDocument(user), 201);
  });

  app.openapi(show, (c) => {
    const user = catalog.read(() => find(c.get("caller"), c.req.valid("param").user));
    return c.json(toUserDocument(user), 200);
  });

  app.openapi(update, async (c) => {
    const caller = c.get("caller");
    const { description, admin, disabled } = c.req.valid("json");
    const changed = await catalog.write(["access"], () => {
      const user = find(caller, c.req.valid("param").user);
      if (admin !== undefined || disabled !== undefined) requireAdmin(caller);
      catalog.users.update(user.id, {
        ...(description === undefined ? {} : { description }),
        ...(admin === undefined ? {} : { admin }),
        ...(disabled === undefined ? {} : { disabled }),
      });
      keepAnAdmin();
      return catalog.users.find(user.name) ?? user;
    });
    return c.json(toUserDocument(changed), 200);
  });

  app.openapi(remove, async (c) => {
    const caller = c.get("caller");
    requireAdmin(caller);
    await catalog.write(["access"], () => {
      catalog.users.remove(find(caller, c.req.valid("param").user).id);
      keepAnAdmin();
    });
    return c.body(null, 204);
  });

  app.openapi(changePassword, async (c) => {
    const caller = c.get("caller");
    const { newPassword, currentPassword } = c.req.valid("json");
    const user = catalog.read(() => find(caller, c.req.valid("param").user));
    // A found token must not be enough to take an account over: whoever changes their own password knows it.
    if (user.id === requireUser(caller).id) {
      if (currentPassword === undefined)
        throw new AppError(
          "INVALID_INPUT",
          "currentPassword: your own password changes only with the current one",
        );
      await access.checkPassword(user.name, currentPassword, c.env.address);
    }
    const hash = await hashNewPassword(newPassword);
    await catalog.write(["access"], () => {
      catalog.users.setPassword(find(caller, user.name).id, hash, now());
    });
    await onPasswordChanged(user.name);
    return c.body(null, 204);
  });

  addTokenRoutes(app, deps, {
    prefix: "/users/{user}",
    names: ["user"],
    of: "a user (admins, and everybody themselves)",
    defaultDays: DEFAULT_USER_TOKEN_DAYS,
    find(caller, path) {
      const user = find(caller, path["user"] ?? "");
      return { accountId: user.id, username: user.name };
    },
    expiry: (caller, _owner, lifetime) => expiryWithin(caller, lifetime),
  });
}

function checkUserName(name: string): void {
  parseName("user", name);
  if (!name.startsWith("robot-")) return;
  throw new AppError("NAME_INVALID", "a user's name may not begin with robot-", {
    hint: "these names belong to robots: wharf robot create",
  });
}
