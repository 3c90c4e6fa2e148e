import { z } from "@hono/zod-openapi";
import type { Job, Project, Robot, Role, Token, User } from "#catalog";
import { roles } from "#catalog";

/** What the API takes and gives. Everything taken is strict: an unknown key is refused, never ignored. */

const time = z.iso.datetime().openapi({ example: "2026-11-01T00:00:00.000Z" });
const description = z.string().max(1000);
const visibility = z.enum(["private", "public"]);
const convert = z.enum(["off", "sif", "sqsh", "both"]);
const convertOn = z.enum(["request", "push"]);
const role = z.enum(roles);
const actions = z
  .array(z.enum(["pull", "push", "delete"]))
  .min(1)
  .max(3)
  .refine((list) => new Set(list).size === list.length, "names an action twice")
  .refine((list) => list.includes("pull"), "must hold pull: the others do not work without it")
  .openapi({ example: ["pull"] });
// A name's own rule (core) refuses with its own words; here only its length.
const name = z.string().min(1).max(200);
const expiresInDays = z.int().min(1).max(3650).nullable();
const password = z.string().min(1).max(1000);

export const NewProject = z
  .strictObject({ name, visibility: visibility.default("private"), description: description.default("") })
  .openapi("NewProject");
export const ProjectChange = z
  .strictObject({
    visibility: visibility.optional(),
    description: description.optional(),
    convert: convert
      .optional()
      .openapi({ description: "What the registry makes of its images: TAG.sif, TAG.sqsh, both or nothing." }),
    convertOn: convertOn
      .optional()
      .openapi({ description: "When: once somebody asks for it, or with each push." }),
  })
  .openapi("ProjectChange");
export const ProjectDocument = z
  .object({ name, visibility, description, convert, convertOn, role: role.nullable(), createdAt: time })
  .openapi("Project");
export const ConversionsDocument = z
  .object({
    convert,
    convertOn,
    results: z.int().openapi({ description: "SIF and squashfs files that are made." }),
    sizeBytes: z.int().openapi({ description: "What they take of the disk." }),
    jobs: z.array(
      z.object({
        image: z.string().openapi({ example: "team-a/app@sha256:… sif" }),
        state: z.enum(["waiting", "running", "failed"]),
        attempts: z.int(),
        error: z.object({ code: z.string(), message: z.string() }).nullable(),
        changedAt: time,
      }),
    ),
  })
  .openapi("Conversions");

export const RoleChange = z.strictObject({ role }).openapi("RoleChange");
export const MemberDocument = z.object({ user: name, role }).openapi("Member");

export const RepositoryDocument = z
  .object({ name: z.string(), tags: z.int(), manifests: z.int(), createdAt: time })
  .openapi("Repository");

export const NewRobot = z
  .strictObject({
    name,
    actions: actions.default(["pull"]),
    description: description.default(""),
    expiresInDays: expiresInDays.optional(),
  })
  .openapi("NewRobot");
export const RobotChange = z
  .strictObject({
    actions: actions.optional(),
    description: description.optional(),
    disabled: z.boolean().optional(),
  })
  .openapi("RobotChange");
const projects = z.array(name).min(1).max(200);
export const NewSiteRobot = z
  .strictObject({
    name,
    projects,
    description: description.default(""),
    expiresInDays: expiresInDays.optional(),
  })
  .openapi("NewSiteRobot");
export const SiteRobotChange = z
  .strictObject({
    projects: projects.optional(),
    description: description.optional(),
    disabled: z.boolean().optional(),
  })
  .openapi("SiteRobotChange");
const robotFields = {
  name,
  username: z.string(),
  project: z.string().nullable(),
  /** For a robot of the site: where it may pull. */
  projects: z.array(z.string()).nullable(),
  actions: z.array(z.string()),
  description,
  disabled: z.boolean(),
  createdAt: time,
};
export const RobotDocument = z.object(robotFields).openapi("Robot");
export const CreatedRobot = z
  .object({ ...robotFields, tokenId: z.int(), secret: z.string(), expiresAt: time.nullable() })
  .openapi("CreatedRobot");

export const NewToken = z.strictObject({ name, expiresInDays: expiresInDays.optional() }).openapi("NewToken");
export const TokenChange = z.strictObject({ name: name.optional() }).openapi("TokenChange");
const tokenFields = {
  id: z.int(),
  name,
  createdAt: time,
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable(),
  revokedAt: time.nullable(),
  state: z.enum(["active", "expired", "revoked"]),
};
export const TokenDocument = z.object(tokenFields).openapi("Token");
export const CreatedToken = z
  .object({ ...tokenFields, username: z.string(), secret: z.string() })
  .openapi("CreatedToken");

export const NewUser = z
  .strictObject({
    name,
    password: password.optional(),
    admin: z.boolean().default(false),
    description: description.default(""),
  })
  .openapi("NewUser");
export const UserChange = z
  .strictObject({
    description: description.optional(),
    admin: z.boolean().optional(),
    disabled: z.boolean().optional(),
  })
  .openapi("UserChange");
export const UserDocument = z
  .object({ name, description, admin: z.boolean(), disabled: z.boolean(), createdAt: time })
  .openapi("User");
export const PasswordChange = z
  .strictObject({ newPassword: password, currentPassword: password.optional() })
  .openapi("PasswordChange");

export const WhoamiDocument = z
  .object({
    kind: z.enum(["user", "robot"]),
    name: z.string(),
    admin: z.boolean(),
    project: z.string().nullable(),
    tokenId: z.int().nullable(),
    expiresAt: time.nullable(),
  })
  .openapi("Whoami");

export const ProblemDocument = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    hint: z.string().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi("Problem");

export function toProjectDocument(
  project: Project,
  callerRole: Role | undefined,
): z.infer<typeof ProjectDocument> {
  return {
    name: project.name,
    visibility: project.visibility,
    description: project.description,
    convert: project.convert,
    convertOn: project.convertOn,
    role: callerRole ?? null,
    createdAt: toTime(project.createdAt),
  };
}

export function toJobDocument({ key, state, attempts, error, changedAt }: Job) {
  return {
    image: key,
    state,
    attempts,
    error: error ?? null,
    changedAt: toTime(changedAt),
  };
}

export function toRobotDocument(
  robot: Robot,
  where: { readonly project: string } | { readonly pullsFrom: readonly string[] },
): z.infer<typeof RobotDocument> {
  return {
    name: robot.name,
    username: robot.username,
    project: "project" in where ? where.project : null,
    projects: "pullsFrom" in where ? [...where.pullsFrom] : null,
    actions: ["pull", ...(robot.canPush ? ["push"] : []), ...(robot.canDelete ? ["delete"] : [])],
    description: robot.description,
    disabled: robot.disabled,
    createdAt: toTime(robot.createdAt),
  };
}

export function toTokenDocument(token: Token, now: number): z.infer<typeof TokenDocument> {
  const hasExpired = token.expiresAt !== undefined && token.expiresAt <= now;
  return {
    id: token.id,
    name: token.name,
    createdAt: toTime(token.createdAt),
    expiresAt: toTimeOrNull(token.expiresAt),
    lastUsedAt: toTimeOrNull(token.lastUsedAt),
    revokedAt: toTimeOrNull(token.revokedAt),
    state: token.revokedAt !== undefined ? "revoked" : hasExpired ? "expired" : "active",
  };
}

export function toUserDocument(user: User): z.infer<typeof UserDocument> {
  const { name: userName, description: text, admin, disabled, createdAt } = user;
  return { name: userName, description: text, admin, disabled, createdAt: toTime(createdAt) };
}

export function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

export function toTimeOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : toTime(ms);
}
