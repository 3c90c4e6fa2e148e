/** The metadata database: rows in one transaction, generations that make remembered answers stale, sealed server secrets. */
export { type Catalog, type CatalogOptions, openCatalog } from "./catalog.ts";
export type * from "./content-contract.ts";
export type * from "./contract.ts";
export {
  type ConversionRequest,
  createConversionJob,
  parseConversionJob,
} from "./conversion-job.ts";
export type { Job, JobError, JobState, JobStore, NewJob, Setback, TakeOptions } from "./job-store.ts";
export { type Member, type MemberStore, type Role, roles, type Standing } from "./member-store.ts";
export type { Page, PageRequest } from "./page.ts";
export type {
  ConvertFormats,
  ConvertOn,
  NewProject,
  Project,
  ProjectStore,
  Visibility,
  VisibleTo,
} from "./project-store.ts";
export type { NewRobot, Robot, RobotStore } from "./robot-store.ts";
export type { SealedSecrets } from "./sealed-secrets.ts";
export type { AccountState, Token, TokenProof, TokenStore } from "./token-store.ts";
export type { NewUser, PasswordRow, User, UserStore } from "./user-store.ts";
