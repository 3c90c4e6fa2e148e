import { bodyLimit } from "hono/body-limit";
import { type Access, forgetFirstPassword } from "#access";
import type { Catalog } from "#catalog";
import { AppError, isOwnFault, type Logger, silentLogger, toAppError, toProblem, version } from "#core";
import { type ApiApp, BASE, createApp } from "./app.ts";
import { addMemberRoutes } from "./routes/members.ts";
import { addProjectRoutes } from "./routes/projects.ts";
import { addRobotRoutes } from "./routes/robots.ts";
import { addSiteRobotRoutes } from "./routes/site-robots.ts";
import { addUserRoutes } from "./routes/users.ts";
import { addWhoamiRoute } from "./routes/whoami.ts";

const MAX_BODY_BYTES = 64 * 1024;

export interface ApiOptions {
  readonly catalog: Catalog;
  readonly access: Access;
  /** The data folder: the first admin's password file in it goes when that password is changed. */
  readonly dataDir: string;
  readonly log?: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** The management API under `/api/v1`. */
export interface Api {
  /** Never rejects: errors are problem+json answers. `peer.address` is the client's, for throttling. */
  fetch(request: Request, peer: { readonly address: string }): Promise<Response>;
}

export function createApi(options: ApiOptions): Api {
  const { catalog, access, dataDir, log = silentLogger, now = Date.now } = options;
  const app = createApp();
  app.onError((error, c) => renderProblem(error, log, c.req.method));
  app.notFound((c) => {
    const methods = methodsOf(app, c.req.path);
    if (methods.length > 0) {
      const error = new AppError(
        "METHOD_NOT_ALLOWED",
        `${c.req.method.slice(0, 20)} is not for this address`,
        {
          hint: `it takes ${methods.join(", ")}`,
        },
      );
      const answer = renderProblem(error, log);
      answer.headers.set("allow", methods.join(", "));
      return answer;
    }
    return renderProblem(
      new AppError("NOT_FOUND", "nothing of the management API lives at this address", {
        hint: `see ${BASE}/openapi.json`,
      }),
      log,
    );
  });
  app.use("*", async (c, next) => {
    await next();
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
  });
  addDescription(app);
  app.use("*", bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseLargeBody }));
  app.use("*", async (c, next) => {
    // A page elsewhere can make a browser send a form with its remembered login, but not JSON.
    const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
    const hasBody = c.req.method !== "GET" && c.req.method !== "HEAD" && c.req.method !== "DELETE";
    // A wrong method is told as that.
    if (hasBody && type !== "application/json" && methodsOf(app, c.req.path).includes(c.req.method))
      throw new AppError("INVALID_INPUT", "the body must be JSON", {
        hint: "send the header Content-Type: application/json",
      });
    c.set("caller", await access.authenticate(c.req.header("authorization"), c.env.address));
    await next();
  });
  const deps = {
    catalog,
    access,
    now,
    onPasswordChanged: (username: string) => forgetFirstPassword(dataDir, username),
  };
  addWhoamiRoute(app);
  addProjectRoutes(app, deps);
  addMemberRoutes(app, deps);
  addRobotRoutes(app, deps);
  addSiteRobotRoutes(app, deps);
  addUserRoutes(app, deps);

  return {
    async fetch(request, peer) {
      return app.fetch(request, { address: peer.address });
    },
  };
}

/** What the address of a request takes, sorted; nothing where no route has it. */
function methodsOf(app: ApiApp, address: string): readonly string[] {
  const path = address.startsWith(`${BASE}/`) ? address.slice(BASE.length) : address;
  const found = app.routes.filter(
    (route) =>
      route.method !== "ALL" &&
      new RegExp(`^${route.path.replaceAll(/:[A-Za-z]+(?:\\{[^}]*\\})?/g, "[^/]+")}$`).test(path),
  );
  const methods = new Set(found.map(({ method }) => method));
  // A GET's address answers HEAD too (RFC 9110, section 9.3.2).
  if (methods.has("GET")) methods.add("HEAD");
  return [...methods].sort();
}

function addDescription(app: ApiApp): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "basic", { type: "http", scheme: "basic" });
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  // Anybody may ask for it, so it is rendered once.
  let text: string | undefined;
  app.get("/openapi.json", (c) => {
    text ??= JSON.stringify(
      app.getOpenAPI31Document({
        openapi: "3.1.0",
        info: {
          title: "Wharfinger management API",
          version,
          description:
            "Basic authentication with a username and a password or token, or a token's secret as Bearer. Lists are pages of `items` with `next`; errors are application/problem+json with our `code`.",
          license: { name: "Apache-2.0" },
        },
        servers: [{ url: BASE }],
      }),
    );
    return c.body(text, 200, { "content-type": "application/json" });
  });
}

function refuseLargeBody(): never {
  throw new AppError("TOO_LARGE", `the body is larger than ${MAX_BODY_BYTES} bytes`);
}

function renderProblem(cause: unknown, log: Logger, method?: string): Response {
  const error = fromHono(cause);
  if (isOwnFault(error)) log.error("management API failed", { method, error });
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  // wget and Python's urllib send Basic only when they are asked for it.
  if (error.row.status === 401) headers.set("www-authenticate", 'Basic realm="wharf", charset="UTF-8"');
  const retry = error.details?.["retryAfterSeconds"];
  if (typeof retry === "number") headers.set("retry-after", String(retry));
  return new Response(`${JSON.stringify(toProblem(error))}\n`, { status: error.row.status, headers });
}

/** hono throws its own error for a body that is no JSON. */
function fromHono(cause: unknown): AppError {
  if (cause instanceof Error && "getResponse" in cause && "status" in cause && cause.status === 400)
    return new AppError("INVALID_INPUT", "the body is not JSON", { cause });
  return toAppError(cause);
}
