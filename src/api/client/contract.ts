import type { z } from "@hono/zod-openapi";
import type * as documents from "../documents.ts";

/** Types of the API's documents: what is sent (before defaults) and what is answered. */
export type NewProject = z.input<typeof documents.NewProject>;
export type ProjectChange = z.input<typeof documents.ProjectChange>;
export type ProjectDocument = z.output<typeof documents.ProjectDocument>;
export type MemberDocument = z.output<typeof documents.MemberDocument>;
export type RepositoryDocument = z.output<typeof documents.RepositoryDocument>;
export type ConversionsDocument = z.output<typeof documents.ConversionsDocument>;
export type NewRobot = z.input<typeof documents.NewRobot>;
export type RobotChange = z.input<typeof documents.RobotChange>;
export type NewSiteRobot = z.input<typeof documents.NewSiteRobot>;
export type SiteRobotChange = z.input<typeof documents.SiteRobotChange>;
export type RobotDocument = z.output<typeof documents.RobotDocument>;
export type CreatedRobot = z.output<typeof documents.CreatedRobot>;
export type NewToken = z.input<typeof documents.NewToken>;
export type TokenChange = z.input<typeof documents.TokenChange>;
export type TokenDocument = z.output<typeof documents.TokenDocument>;
export type CreatedToken = z.output<typeof documents.CreatedToken>;
export type NewUser = z.input<typeof documents.NewUser>;
export type UserChange = z.input<typeof documents.UserChange>;
export type UserDocument = z.output<typeof documents.UserDocument>;
export type PasswordChange = z.input<typeof documents.PasswordChange>;
export type WhoamiDocument = z.output<typeof documents.WhoamiDocument>;

export interface ListPage<T> {
  readonly items: readonly T[];
  /** `after` of the next page; null for the last. */
  readonly next: string | null;
}

export interface ListQuery {
  readonly after?: string;
  readonly limit?: number;
}

/** Whose tokens, or which robot: of a project, or of the site where no project is said. */
export type TokenHolder =
  | { readonly user: string }
  | { readonly robot: string; readonly project?: string | undefined };

/** How the client reaches the other side: a program gives its own fetch (TLS, proxies), a page the browser's. */
export type ApiFetch = (
  url: string,
  request: {
    readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  },
) => Promise<{ readonly status: number; readonly text: string }>;

/**
 * The management API of one registry. Errors are those that the registry says, as AppErrors with its code; REGISTRY_FAILED for an
 * answer that is none of a Wharfinger registry; what the fetch throws goes through.
 */
export interface ApiClient {
  whoami(): Promise<WhoamiDocument>;
  listProjects(query?: ListQuery): Promise<ListPage<ProjectDocument>>;
  createProject(project: NewProject): Promise<ProjectDocument>;
  readProject(project: string): Promise<ProjectDocument>;
  updateProject(project: string, change: ProjectChange): Promise<ProjectDocument>;
  deleteProject(project: string, options?: { readonly withRepositories?: boolean }): Promise<void>;
  /** What is made of its images: SIF, squashfs. */
  readConversions(project: string): Promise<ConversionsDocument>;
  listRepositories(project: string, query?: ListQuery): Promise<ListPage<RepositoryDocument>>;
  listMembers(project: string, query?: ListQuery): Promise<ListPage<MemberDocument>>;
  setMember(project: string, user: string, role: MemberDocument["role"]): Promise<MemberDocument>;
  removeMember(project: string, user: string): Promise<void>;
  /** Of a project, or of the site where none is said; so below. */
  listRobots(project: string | undefined, query?: ListQuery): Promise<ListPage<RobotDocument>>;
  createRobot(project: string, robot: NewRobot): Promise<CreatedRobot>;
  createSiteRobot(robot: NewSiteRobot): Promise<CreatedRobot>;
  readRobot(project: string | undefined, robot: string): Promise<RobotDocument>;
  updateRobot(project: string, robot: string, change: RobotChange): Promise<RobotDocument>;
  updateSiteRobot(robot: string, change: SiteRobotChange): Promise<RobotDocument>;
  deleteRobot(project: string | undefined, robot: string): Promise<void>;
  listUsers(query?: ListQuery): Promise<ListPage<UserDocument>>;
  createUser(user: NewUser): Promise<UserDocument>;
  readUser(user: string): Promise<UserDocument>;
  updateUser(user: string, change: UserChange): Promise<UserDocument>;
  changePassword(user: string, change: PasswordChange): Promise<void>;
  deleteUser(user: string): Promise<void>;
  listTokens(holder: TokenHolder, query?: ListQuery): Promise<ListPage<TokenDocument>>;
  createToken(holder: TokenHolder, token: NewToken): Promise<CreatedToken>;
  readToken(holder: TokenHolder, tokenId: number): Promise<TokenDocument>;
  updateToken(holder: TokenHolder, tokenId: number, change: TokenChange): Promise<TokenDocument>;
  revokeToken(holder: TokenHolder, tokenId: number): Promise<void>;
}
