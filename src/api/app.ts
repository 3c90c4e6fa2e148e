import { OpenAPIHono } from "@hono/zod-openapi";
import type { Access, Caller } from "#access";
import type { Catalog } from "#catalog";
import { AppError } from "#core";

/** What the routes are built with. */
export interface ApiDependencies {
  readonly catalog: Catalog;
  readonly access: Access;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Called when a user's password was changed. */
  readonly onPasswordChanged: (username: string) => Promise<void>;
}

/** What hono carries with a request. */
export interface ApiEnvironment {
  readonly Bindings: { readonly address: string };
  readonly Variables: { readonly caller: Caller };
}

export type ApiApp = OpenAPIHono<ApiEnvironment>;

/** Where the API lives. Routes are written without it; the description names it once. */
export const BASE = "/api/v1";

/** An application whose schemas refuse with our own error. */
export function createApp(): ApiApp {
  return new OpenAPIHono<ApiEnvironment>({
    getPath(request) {
      const { pathname } = new URL(request.url);
      return pathname.startsWith(`${BASE}/`) ? pathname.slice(BASE.length) : "/";
    },
    defaultHook(result) {
      if (result.success) return;
      const issues = result.error.issues.slice(0, 20).map((issue) => ({
        at: issue.path.join("."),
        problem: issue.message,
      }));
      const first = issues[0];
      const where = first === undefined || first.at === "" ? "" : `${first.at}: `;
      throw new AppError("INVALID_INPUT", `${where}${first?.problem ?? "not what this address takes"}`, {
        hint: "compare with /api/v1/openapi.json",
        details: { issues },
      });
    },
  });
}
