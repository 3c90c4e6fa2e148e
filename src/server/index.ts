/** Puts the server's rooms into one listening process: TLS, limits, metrics, health, graceful stop. */

export { renderStarted } from "./render-started.ts";
export { type RunningServer, type ServerParts, startServer } from "./start-server.ts";
