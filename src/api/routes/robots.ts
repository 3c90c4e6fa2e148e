import { createRoute, z } from "@hono/zod-openapi";
import type { Caller } from "#access";
import type { Project, Robot } from "#catalog";
import { AppError, parseName } from "#core";
import type { ApiApp, ApiDependencies } from "../app.ts";
import {
  CreatedRobot,
  NewRobot,
  RobotChange,
  RobotDocument,
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

const params = z.object({ project: pathParam("project") });
const robotParams = params.extend({ robot: pathParam("robot") });
const tags = ["robots"];

const list = createRoute({
  method: "get",
  path: "/projects/{project}/robots",
  tags,
  security,
  summary: "The robots of a project, by name (developers)",
  request: { params, query: PageQuery },
  responses: { 200: jsonAnswer(listOf(RobotDocument), "A page of robots."), ...problems },
});
const create = createRoute({
  method: "post",
  path: "/projects/{project}/robots",
  tags,
  security,
  summary:
    "Makes a robot with a first token, whose secret is shown this once (developers: pull only; maintainers: all). The token ends after 365 days unless said",
  request: { params, body: jsonBody(NewRobot) },
  responses: { 201: jsonAnswer(CreatedRobot, "The robot with its secret."), ...problems },
});
const show = createRoute({
  method: "get",
  path: "/projects/{project}/robots/{robot}",
  tags,
  security,
  summary: "One robot (developers)",
  request: { params: robotParams },
  responses: { 200: jsonAnswer(RobotDocument, "The robot."), ...problems },
});
const update = createRoute({
  method: "patch",
  path: "/projects/{project}/robots/{robot}",
  tags,
  security,
  summary: "Changes what a robot may do, disables or enables it (as for making it)",
  request: { params: robotParams, body: jsonBody(RobotChange) },
  responses: { 200: jsonAnswer(RobotDocument, "The robot."), ...problems },
});
const remove = createRoute({
  method: "delete",
  path: "/projects/{project}/robots/{robot}",
  tags,
  security,
  summary: "Deletes a robot with its tokens (as for making it)",
  request: { params: robotParams },
  responses: { 204: { description: "It is gone." }, ...problems },
});

/** Robots of projects: accounts for machines that reach one project. */
export function addRobotRoutes(app: ApiApp, deps: ApiDependencies): void {
  const { catalog, access, now } = deps;

  function authorizeRobots(caller: Caller, project: string, isWriting: boolean): Project {
    return access.authorizeProject(caller, isWriting ? "robots-writing" : "robots", project);
  }

  /** The robot through its project, with the right to change it. Called inside a transaction. */
  function findToChange(caller: Caller, projectName: string, name: string): Robot {
    const project = authorizeRobots(caller, projectName, false);
    const robot = catalog.robots.find(project.id, name);
    if (robot === undefined) throw robotUnknown(name);
    authorizeRobots(caller, projectName, robot.canPush || robot.canDelete);
    return robot;
  }

  app.openapi(list, (c) => {
    const { project: name } = c.req.valid("param");
    const project = access.authorizeProject(c.get("caller"), "robots", name);
    const { items, next } = catalog.read(() =>
      catalog.robots.list(project.id, toPageRequest(c.req.valid("query"))),
    );
    return c.json(
      { items: items.map((robot) => toRobotDocument(robot, { project: name })), next: next ?? null },
      200,
    );
  });

  app.openapi(create, async (c) => {
    const caller = c.get("caller");
    const { project: projectName } = c.req.valid("param");
    const { name, actions, description, expiresInDays } = c.req.valid("json");
    const document = await catalog.write(["access"], () => {
      const [canPush, canDelete] = [actions.includes("push"), actions.includes("delete")];
      const project = authorizeRobots(caller, projectName, canPush || canDelete);
      const time = now();
      const robot = catalog.robots.create({
        username: `robot-${project.name}-${parseName("robot", name)}`,
        name,
        description,
        projectId: project.id,
        canPush,
        canDelete,
        pullsFrom: [],
        createdAt: time,
      });
      const expiresAt = expiryOf({ days: expiresInDays, defaultDays: DEFAULT_ROBOT_TOKEN_DAYS, now: time });
      const made = createToken(catalog, { accountId: robot.id, name: "first", now: time, expiresAt });
      return {
        ...toRobotDocument(robot, { project: project.name }),
        tokenId: made.token.id,
        // The one answer that a secret is meant for.
        secret: made.secret.reveal(),
        expiresAt: toTimeOrNull(expiresAt),
      };
    });
    return c.json(document, 201);
  });

  app.openapi(show, (c) => {
    const { project: projectName, robot: name } = c.req.valid("param");
    const project = access.authorizeProject(c.get("caller"), "robots", projectName);
    const robot = catalog.read(() => catalog.robots.find(project.id, name));
    if (robot === undefined) throw robotUnknown(name);
    return c.json(toRobotDocument(robot, { project: projectName }), 200);
  });

  app.openapi(update, async (c) => {
    const caller = c.get("caller");
    const { project: projectName, robot: name } = c.req.valid("param");
    const { actions, description, disabled } = c.req.valid("json");
    const document = await catalog.write(["access"], () => {
      const robot = findToChange(caller, projectName, name);
      const rights =
        actions === undefined
          ? {}
          : { canPush: actions.includes("push"), canDelete: actions.includes("delete") };
      authorizeRobots(caller, projectName, (rights.canPush ?? false) || (rights.canDelete ?? false));
      catalog.robots.update(robot.id, {
        ...rights,
        ...(description === undefined ? {} : { description }),
        ...(disabled === undefined ? {} : { disabled }),
      });
      return toRobotDocument(catalog.robots.find(robot.projectId, name) ?? robot, { project: projectName });
    });
    return c.json(document, 200);
  });

  app.openapi(remove, async (c) => {
    const { project: projectName, robot: name } = c.req.valid("param");
    await catalog.write(["access"], () => {
      catalog.robots.remove(findToChange(c.get("caller"), projectName, name).id);
    });
    return c.body(null, 204);
  });

  addTokenRoutes(app, deps, {
    prefix: "/projects/{project}/robots/{robot}",
    names: ["project", "robot"],
    of: "a robot of a project",
    defaultDays: DEFAULT_ROBOT_TOKEN_DAYS,
    find(caller, path) {
      const robot = findToChange(caller, path["project"] ?? "", path["robot"] ?? "");
      return { accountId: robot.id, username: robot.username };
    },
    // A robot is its project's, not its maker's: it may outlive the token that a maintainer made it with.
    expiry: (_caller, _owner, lifetime) => expiryOf(lifetime),
  });
}

function robotUnknown(name: string): AppError {
  return new AppError("NOT_FOUND", `there is no robot ${JSON.stringify(name)} in this project`, {
    hint: "give its name within the project, without robot-<project>- before it",
  });
}
