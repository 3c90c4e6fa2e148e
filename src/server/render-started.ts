import { join, relative } from "node:path";
import type { ServeOptions } from "./options/parse-serve-options.ts";
import type { RunningServer } from "./start-server.ts";

export interface StartedAt {
  readonly cwd: string;
  /** How wharf must be typed here. */
  readonly typedAs: string;
}

/** What a person reads when the server has started: where it listens, who the first admin is, and what to type next. */
export function renderStarted(server: RunningServer, options: ServeOptions, at: StartedAt): string {
  const { admin, caFingerprint, url } = server;
  const lines = [
    `Wharfinger serves ${url}`,
    `  listening on  ${server.address}`,
    `  data          ${options.dataDir}`,
  ];
  if (admin.passwordFile !== undefined)
    lines.push(`  first admin   ${admin.username}, password in ${admin.passwordFile} (0600, for you alone)`);
  else if (admin.isNew) lines.push(`  first admin   ${admin.username}, with the password that you gave`);
  if (caFingerprint !== undefined)
    lines.push(
      `  own CA        ${url}/ca.crt, for clients to trust; its SHA-256 fingerprint is`,
      `                ${caFingerprint}`,
    );
  const { typedAs } = at;
  const typed = (path: string): string => typedPath(path, at.cwd);
  const ca = caFingerprint === undefined ? "" : ` --ca ${typed(join(options.dataDir, "tls", "ca.crt"))}`;
  const password = admin.passwordFile === undefined ? "" : ` --password-stdin < ${typed(admin.passwordFile)}`;
  lines.push(
    "",
    "Go on in a second terminal:",
    `  ${typedAs} sign-in ${url} -u ${admin.username}${ca}${password}`,
  );
  // Who starts it again has a project.
  if (admin.isNew)
    lines.push(
      `  ${typedAs} project create team`,
      `  ${typedAs} robot create team/ci --action pull --action push --save-as ci`,
      `  ${typedAs} apply`,
    );
  lines.push("", "Stop it with Ctrl-C.");
  return `${lines.join("\n")}\n`;
}

/** A path as it is typed in the folder where the server was started, quoted where the shell would split it. */
function typedPath(path: string, cwd: string): string {
  const inside = relative(cwd, path);
  const typed = inside.startsWith("..") ? path : inside;
  return /^[\w./@+-]+$/.test(typed) ? typed : `'${typed.replaceAll("'", "'\\''")}'`;
}
