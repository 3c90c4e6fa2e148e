import { createRoute, z } from "@hono/zod-openapi";
import { requireAdmin } from "#access";
import type { Robot } from "#catalog";
import { AppError, parseName } from "#core";
import type { ApiApp, ApiDependencies } from "../app.ts";
import {
  CreatedRobot,
  NewSiteRobot,
  RobotDocument,
  SiteRobotChange,
  toRobotDocument,
  toTimeOrNull,
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
import { createToken, DEFAULT_ROBOT_TOKEN_DAYS, expiryOf } from "../token-rules.ts";
import { addTokenRoutes } from "./tokens.ts";

const params = z.object({ robot: pathParam("robot") });
const tags = ["robots"];

const list = createRoute({
  method: "get",
  path: "/robots",
  tags,
  security,
  summary: "The robots of the site, by name (admins)",
  request: { query: PageQuery },
  responses: { 200: jsonAnswer(listOf(RobotDocument), "A page of robots."), ...problems },
});
const create = createRoute({
  method: "post",
  path: "/robots",
  tags,
  security,
  summary:
    "Makes a robot that pulls over several projects, with a first token, whose secret is shown this once (admins). The token ends after 365 days unless said",
  request: { body: jsonBody(NewSiteRobot) },
  responses: { 201: jsonAnswer(CreatedRobot, "The robot with its secret."), ...problems },
});
const show = createRoute({
  method: "get",
  path: "/robots/{robot}",
  tags,
  security,
  summary: "One robot of the site (admins)",
  request: { params },
  responses: { 200: jsonAnswer(RobotDocument, "The robot."), ...problems },
});
const update = createRoute({
  method: "patch",
  path: "/robots/{robot}",
  tags,
  security,
  summary: "Changes where a robot of the site may pull, disables or enables it (admins)",
  request: { params, body: jsonBody(SiteRobotChange) },
  responses: { 200: jsonAnswer(RobotDocument, "The robot."), ...problems },
});
const remove = createRoute({
  method: "delete",
  path: "/robots/{robot}",
  tags,
  security,
  summary: "Deletes a robot of the site with its tokens (admins)",
  request: { params },
  responses: { 204: { description: "It is gone." }, ...problems },
});

/** Robots of the site: what a node needs to pull what several projects keep. */
export function addSiteRobotRoutes(app: ApiApp, deps: ApiDependencies): void {
  const { catalog, now } = deps;

  function find(name: string): Robot {
    const robot = catalog.robots.find(undefined, name);
    if (robot !== undefined) return robot;
    throw new AppError("NOT_FOUND", `there is no robot ${JSON.stringify(name)} of the site`, {
      hint: "give its name without robot- before it; robots of projects are under their projects",
    });
  }

  function projectIds(names: readonly string[]): number[] {
    return names.map((name) => {
      const project = catalog.projects.find(name);
      if (project !== undefined) return project.id;
      throw new AppError("PROJECT_UNKNOWN", `there is no project ${JSON.stringify(name)}`, {
        hint: `make it first: wharf project create ${name}`,
      });
    });
  }

  const toDocument = (robot: Robot): z.infer<typeof RobotDocument> =>
    toRobotDocument(robot, { pullsFrom: catalog.robots.pullsFrom(robot.id) });

  app.openapi(list, (c) => {
    requireAdmin(c.get("caller"));
    const page = catalog.read(() => {
      const { items, next } = catalog.robots.list(undefined, toPageRequest(c.req.valid("query")));
      return { items: items.map(toDocument), next: next ?? null };
    });
    return c.json(page, 200);
  });

  app.openapi(create, async (c) => {
    requireAdmin(c.get("caller"));
    const { name, projects, description, expiresInDays } = c.req.valid("json");
    const document = await catalog.write(["access"], () => {
      const time = now();
      const robot = catalog.robots.create({
        username: `robot-${parseName("robot", name)}`,
        name,
        description,
        projectId: undefined,
        canPush: false,
        canDelete: false,
        pullsFrom: projectIds(projects),
        createdAt: time,
      });
      const expiresAt = expiryOf({ days: expiresInDays, defaultDays: DEFAULT_ROBOT_TOKEN_DAYS, now: time });
      const made = createToken(catalog, { accountId: robot.id, name: "first", now: time, expiresAt });
      return {
        ...toDocument(robot),
        tokenId: made.token.id,
        // The one answer that a secret is meant for.
        secret: made.secret.reveal(),
        expiresAt: toTimeOrNull(expiresAt),
      };
    });
    return c.json(document, 201);
  });

  app.openapi(show, (c) => {
    requireAdmin(c.get("caller"));
    return c.json(
      catalog.read(() => toDocument(find(c.req.valid("param").robot))),
      200,
    );
  });

  app.openapi(update, async (c) => {
    requireAdmin(c.get("caller"));
    const { projects, description, disabled } = c.req.valid("json");
    const document = await catalog.write(["access"], () => {
      const robot = find(c.req.valid("param").robot);
      if (projects !== undefined) catalog.robots.setPullsFrom(robot.id, projectIds(projects));
      catalog.robots.update(robot.id, {
        ...(description === undefined ? {} : { description }),
        ...(disabled === undefined ? {} : { disabled }),
      });
      return toDocument(find(robot.name));
    });
    return c.json(document, 200);
  });

  app.openapi(remove, async (c) => {
    requireAdmin(c.get("caller"));
    await catalog.write(["access"], () => catalog.robots.remove(find(c.req.valid("param").robot).id));
    return c.body(null, 204);
  });

  addTokenRoutes(app, deps, {
    prefix: "/robots/{robot}",
    names: ["robot"],
    of: "a robot of the site",
    defaultDays: DEFAULT_ROBOT_TOKEN_DAYS,
    find(caller, path) {
      requireAdmin(caller);
      const robot = find(path["robot"] ?? "");
      return { accountId: robot.id, username: robot.username };
    },
    expiry: (_caller, _owner, lifetime) => expiryOf(lifetime),
  });
}
