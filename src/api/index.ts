/** The management API: projects, members, robots, users, tokens over HTTP, and its typed client. */
export { type Api, type ApiOptions, createApi } from "./create-api.ts";
