import type { ServeOptions } from "./options/parse-serve-options.ts";
import type { RunningServer } from "./start-server.ts";

export interface StartedAt {
  readonly cwd: string;
  /** How wharf must be typed here. */
  readonly typedAs: string;
}

/** What a person reads when the server has started: where it listens, and what to do next. */
export function renderStarted(server: RunningServer, options: ServeOptions, _at: StartedAt): string {
  const lines = [
    `Wharfinger serves ${server.url}`,
    `  listening on  ${server.address}`,
    `  data          ${options.dataDir}`,
  ];
  if (server.caFingerprint !== undefined)
    lines.push(
      `  own CA        ${server.url}/ca.crt, for clients to trust; its SHA-256 fingerprint is`,
      `                ${server.caFingerprint}`,
    );
  return `${lines.join("\n")}\n\nStop it with Ctrl-C.\n`;
}
