import { createRoute, z } from "@hono/zod-openapi";
import type { Caller } from "#access";
import type { Role } from "#catalog";
import { AppError } from "#core";
import type { ApiApp, ApiDependencies } from "../app.ts";
import { MemberDocument, RoleChange } from "../documents.ts";
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

const params = z.object({ project: pathParam("project") });
const memberParams = params.extend({ user: pathParam("user") });
const tags = ["members"];

const list = createRoute({
  method: "get",
  path: "/projects/{project}/members",
  tags,
  security,
  summary: "The members of a project, by name (members)",
  request: { params, query: PageQuery },
  responses: { 200: jsonAnswer(listOf(MemberDocument), "A page of members."), ...problems },
});
const set = createRoute({
  method: "put",
  path: "/projects/{project}/members/{user}",
  tags,
  security,
  summary: "Adds a member, or changes the role (maintainers below owner, owners)",
  request: { params: memberParams, body: jsonBody(RoleChange) },
  responses: { 200: jsonAnswer(MemberDocument, "The member."), ...problems },
});
const remove = createRoute({
  method: "delete",
  path: "/projects/{project}/members/{user}",
  tags,
  security,
  summary: "Removes a member (maintainers below owner, owners, and everybody themselves)",
  request: { params: memberParams },
  responses: { 204: { description: "No member any more." }, ...problems },
});

/** Members of projects and their roles. */
export function addMemberRoutes(app: ApiApp, { catalog, access }: ApiDependencies): void {
  /** Owners are made, changed and removed by owners alone. */
  function authorizeChange(caller: Caller, project: string, roles: readonly (Role | undefined)[]): number {
    const permission = roles.includes("owner") ? "owners" : "members";
    // The weaker permission first: it tells a stranger no more than that.
    access.authorizeProject(caller, "members", project);
    return access.authorizeProject(caller, permission, project).id;
  }

  function keepAnOwner(caller: Caller, projectId: number): void {
    const { principal } = caller;
    if (principal.kind === "user" && principal.admin) return;
    if (catalog.members.countOwners(projectId) > 0) return;
    throw new AppError("CONFLICT", "the project would have no owner left", {
      hint: "make somebody else owner first",
    });
  }

  app.openapi(list, (c) => {
    const { project: name } = c.req.valid("param");
    const project = access.authorizeProject(c.get("caller"), "members-view", name);
    const { items, next } = catalog.read(() =>
      catalog.members.list(project.id, toPageRequest(c.req.valid("query"))),
    );
    return c.json({ items: [...items], next: next ?? null }, 200);
  });

  app.openapi(set, async (c) => {
    const caller = c.get("caller");
    const { project: name, user: userName } = c.req.valid("param");
    const { role } = c.req.valid("json");
    await catalog.write(["access"], () => {
      access.authorizeProject(caller, "members", name);
      const user = catalog.users.find(userName);
      if (user === undefined)
        throw new AppError("NOT_FOUND", `there is no user ${JSON.stringify(userName)}`, {
          hint: `an admin of the registry makes users: wharf user create ${userName}`,
        });
      const before = catalog.members.find(access.authorizeProject(caller, "view", name).id, user.id);
      const projectId = authorizeChange(caller, name, [role, before]);
      catalog.members.set(projectId, user.id, role);
      if (before === "owner") keepAnOwner(caller, projectId);
    });
    return c.json({ user: userName, role }, 200);
  });

  app.openapi(remove, async (c) => {
    const caller = c.get("caller");
    const { project: name, user: userName } = c.req.valid("param");
    await catalog.write(["access"], () => {
      const { principal } = caller;
      const isSelf = principal.kind === "user" && principal.name === userName;
      const project = access.authorizeProject(caller, isSelf ? "members-view" : "members", name);
      const user = catalog.users.find(userName);
      const before = user === undefined ? undefined : catalog.members.find(project.id, user.id);
      if (user === undefined || before === undefined)
        throw new AppError("NOT_FOUND", `${JSON.stringify(userName)} is no member of this project`);
      if (!isSelf) authorizeChange(caller, name, [before]);
      catalog.members.remove(project.id, user.id);
      if (before === "owner") keepAnOwner(caller, project.id);
    });
    return c.body(null, 204);
  });
}
