import { createRoute, z } from "@hono/zod-openapi";
import { requireUser } from "#access";
import { AppError, parseName } from "#core";
import type { ApiApp, ApiDependencies } from "../app.ts";
import {
  ConversionsDocument,
  NewProject,
  ProjectChange,
  ProjectDocument,
  RepositoryDocument,
  toJobDocument,
  toProjectDocument,
  toTime,
} from "../documents.ts";
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
const tags = ["projects"];
/** The oldest of a project's jobs, for people to see what goes on. */
const MOST_JOBS = 100;

const list = createRoute({
  method: "get",
  path: "/projects",
  tags,
  security,
  summary: "The projects that the caller may see, by name",
  request: { query: PageQuery },
  responses: { 200: jsonAnswer(listOf(ProjectDocument), "A page of projects."), ...problems },
});
const create = createRoute({
  method: "post",
  path: "/projects",
  tags,
  security,
  summary: "Makes a project, whose owner is the caller",
  request: { body: jsonBody(NewProject) },
  responses: { 201: jsonAnswer(ProjectDocument, "The project."), ...problems },
});
const show = createRoute({
  method: "get",
  path: "/projects/{project}",
  tags,
  security,
  summary: "One project",
  request: { params },
  responses: { 200: jsonAnswer(ProjectDocument, "The project."), ...problems },
});
const update = createRoute({
  method: "patch",
  path: "/projects/{project}",
  tags,
  security,
  summary: "Changes the description or the conversion of images (maintainers), or the visibility (owners)",
  request: { params, body: jsonBody(ProjectChange) },
  responses: { 200: jsonAnswer(ProjectDocument, "The project."), ...problems },
});
const remove = createRoute({
  method: "delete",
  path: "/projects/{project}",
  tags,
  security,
  summary: "Deletes a project with its members and robots (owners)",
  request: {
    params,
    query: z.strictObject({
      withRepositories: z.enum(["true", "false"]).default("false").openapi({
        description: "Delete its images too; without it a project that holds some is refused (409).",
      }),
    }),
  },
  responses: { 204: { description: "It is gone." }, ...problems },
});
const conversions = createRoute({
  method: "get",
  path: "/projects/{project}/conversions",
  tags,
  security,
  summary: "What is made of a project's images: SIF, squashfs",
  request: { params },
  responses: { 200: jsonAnswer(ConversionsDocument, "What is made, and what is being made."), ...problems },
});
const repositories = createRoute({
  method: "get",
  path: "/projects/{project}/repositories",
  tags,
  security,
  summary: "The repositories of a project, by name",
  request: { params, query: PageQuery },
  responses: { 200: jsonAnswer(listOf(RepositoryDocument), "A page of repositories."), ...problems },
});

/** Projects, and what lies in them. */
export function addProjectRoutes(app: ApiApp, { catalog, access, now }: ApiDependencies): void {
  app.openapi(list, (c) => {
    const { principal, grants } = c.get("caller");
    const page = catalog.read(() => {
      const visibleTo =
        principal.kind === "anonymous" || grants !== undefined
          ? "everybody"
          : principal.kind === "user" && principal.admin
            ? "all"
            : { accountId: principal.id };
      const { items, next } = catalog.projects.list(toPageRequest(c.req.valid("query")), visibleTo);
      const accountId = principal.kind === "user" ? principal.id : 0;
      return {
        items: items.map((project) =>
          toProjectDocument(project, catalog.members.find(project.id, accountId)),
        ),
        next: next ?? null,
      };
    });
    return c.json(page, 200);
  });

  app.openapi(create, async (c) => {
    const user = requireUser(c.get("caller"));
    const { name, visibility, description } = c.req.valid("json");
    const project = await catalog.write(["access"], () => {
      const made = catalog.projects.create({
        name: parseName("project", name),
        visibility,
        description,
        createdAt: now(),
      });
      catalog.members.set(made.id, user.id, "owner");
      return made;
    });
    return c.json(toProjectDocument(project, "owner"), 201);
  });

  app.openapi(show, (c) => {
    const caller = c.get("caller");
    const { project: name } = c.req.valid("param");
    const project = access.authorizeProject(caller, "view", name);
    const accountId = caller.principal.kind === "user" ? caller.principal.id : 0;
    return c.json(toProjectDocument(project, catalog.members.find(project.id, accountId)), 200);
  });

  app.openapi(update, async (c) => {
    const caller = c.get("caller");
    const { project: name } = c.req.valid("param");
    const { visibility, description, convert, convertOn } = c.req.valid("json");
    const document = await catalog.write(["access"], () => {
      const project = access.authorizeProject(caller, "describe", name);
      if (visibility !== undefined) access.authorizeProject(caller, "visibility", name);
      catalog.projects.update(project.id, {
        ...(visibility === undefined ? {} : { visibility }),
        ...(description === undefined ? {} : { description }),
        ...(convert === undefined ? {} : { convert }),
        ...(convertOn === undefined ? {} : { convertOn }),
      });
      // Whoever says it again wants it tried again.
      if (convert !== undefined) catalog.jobs.forgetFailed(project.id);
      const changed = access.authorizeProject(caller, "view", name);
      return toProjectDocument(changed, catalog.members.find(project.id, requireUser(caller).id));
    });
    return c.json(document, 200);
  });

  app.openapi(remove, async (c) => {
    const caller = c.get("caller");
    const { project: name } = c.req.valid("param");
    const withRepositories = c.req.valid("query").withRepositories === "true";
    await catalog.write(["access"], () => {
      const project = access.authorizeProject(caller, "delete", name);
      if (!withRepositories && catalog.projects.holdsContent(project.id))
        throw new AppError("CONFLICT", `the project ${name} still holds images`, {
          hint: "delete them first, or say that they go too: withRepositories=true",
        });
      catalog.projects.remove(project.id);
    });
    return c.body(null, 204);
  });

  app.openapi(conversions, async (c) => {
    const { project: name } = c.req.valid("param");
    const project = access.authorizeProject(c.get("caller"), "view", name);
    const totals = await catalog.content.countConversions(project.name);
    const jobs = catalog.read(() => catalog.jobs.listOfProject(project.id, MOST_JOBS));
    return c.json(
      { convert: project.convert, convertOn: project.convertOn, ...totals, jobs: jobs.map(toJobDocument) },
      200,
    );
  });

  app.openapi(repositories, async (c) => {
    const { project: name } = c.req.valid("param");
    const { limit, after } = toPageRequest(c.req.valid("query"));
    const project = access.authorizeProject(c.get("caller"), "view", name);
    const rows = await catalog.content.listProjectRepositories(project.name, { after, limit: limit + 1 });
    const items = rows.slice(0, limit).map((row) => ({ ...row, createdAt: toTime(row.createdAt) }));
    return c.json({ items, next: rows.length > limit ? (items.at(-1)?.name ?? null) : null }, 200);
  });
}
