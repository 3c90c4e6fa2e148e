import { createRoute } from "@hono/zod-openapi";
import { AppError } from "#core";
import type { ApiApp } from "../app.ts";
import { toTimeOrNull, WhoamiDocument } from "../documents.ts";
import { jsonAnswer, problems, security } from "../route-parts.ts";

const whoami = createRoute({
  method: "get",
  path: "/whoami",
  tags: ["whoami"],
  security,
  summary: "Who the login that was sent belongs to, and when it ends",
  responses: { 200: jsonAnswer(WhoamiDocument, "The account."), ...problems },
});

/** What a robot, too, may ask. */
export function addWhoamiRoute(app: ApiApp): void {
  app.openapi(whoami, (c) => {
    const { principal, tokenId, expiresAt } = c.get("caller");
    if (principal.kind === "anonymous")
      throw new AppError("UNAUTHORIZED", "a login is needed", {
        hint: "sign in with a username and a password or token",
      });
    const { kind, name } = principal;
    const admin = kind === "user" && principal.admin;
    const project = kind === "robot" ? (principal.project ?? null) : null;
    const answer = {
      kind,
      name,
      admin,
      project,
      tokenId: tokenId ?? null,
      expiresAt: toTimeOrNull(expiresAt),
    };
    return c.json(answer, 200);
  });
}
