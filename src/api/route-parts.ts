import { z } from "@hono/zod-openapi";
import type { PageRequest } from "#catalog";
import { ProblemDocument } from "./documents.ts";

/** Pieces of route descriptions that every route has. */

const problem = { content: { "application/problem+json": { schema: ProblemDocument } } };

/** What any route may answer besides what it is for. */
export const problems = {
  400: { ...problem, description: "The request is not one that this address takes." },
  401: { ...problem, description: "No login was sent, or it is not valid (any more)." },
  403: { ...problem, description: "The caller is known, and may not do this." },
  404: { ...problem, description: "It does not exist, or the caller may not know of it." },
  409: { ...problem, description: "It exists already, or something stands against it." },
  429: { ...problem, description: "Too many wrong passwords; see Retry-After." },
} as const;

export const security = [{ basic: [] }, { bearer: [] }];

export function jsonBody<T extends z.ZodType>(schema: T) {
  return { content: { "application/json": { schema } }, required: true as const };
}

export function jsonAnswer<T extends z.ZodType>(schema: T, description: string) {
  return { content: { "application/json": { schema } }, description };
}

export function listOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next: z
      .string()
      .nullable()
      .openapi({ description: "Send it as `after` for the next page; null: the last." }),
  });
}

export const PageQuery = z.strictObject({
  after: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export function toPageRequest(query: z.infer<typeof PageQuery>): PageRequest {
  return { limit: query.limit, after: query.after };
}

/** A segment of the path; what it must look like is told by what it names. */
export function pathParam(paramName: string) {
  return z
    .string()
    .max(200)
    .openapi({ param: { name: paramName, in: "path" } });
}
