import type { CreatedRobot, ProjectDocument, RobotDocument, TokenDocument, UserDocument } from "#api/client";
import type { Invocation } from "../command.ts";
import { plainText } from "../plain-text.ts";
import { type Column, renderTable } from "../table.ts";

/** A list: one document, or a table; on the terminal a word where there is nothing. */
export function printList<T>(
  { terminal, json }: Invocation,
  items: readonly T[],
  columns: readonly Column<T>[],
  nothing: string,
): void {
  if (json) terminal.out(`${JSON.stringify({ items })}\n`);
  else if (items.length === 0) terminal.err(`${nothing}\n`);
  else terminal.out(renderTable(columns, items, terminal.color));
}

/** One thing: its document, or a table of one line. */
export function printOne<T>(invocation: Invocation, item: T, columns: readonly Column<T>[]): void {
  if (invocation.json) invocation.terminal.out(`${JSON.stringify(item)}\n`);
  else invocation.terminal.out(renderTable(columns, [item], invocation.terminal.color));
}

/** That something was done: a word to people, a document for programs. */
export function printDone({ terminal, json }: Invocation, document: unknown, words: string): void {
  if (json) terminal.out(`${JSON.stringify(document)}\n`);
  else terminal.err(`${plainText(words)}\n`);
}

/** A secret, this once: alone on standard output, so that it can be piped; all else is for people. */
export function printSecret(
  { terminal, json }: Invocation,
  document: { readonly secret: string; readonly username: string; readonly expiresAt: string | null },
  words: string,
): void {
  if (json) {
    terminal.out(`${JSON.stringify(document)}\n`);
    return;
  }
  const until = document.expiresAt === null ? "does not expire" : `expires ${day(document.expiresAt)}`;
  terminal.err(
    `${plainText(words)}: username ${plainText(document.username)}, ${until}; its secret, shown this once:\n`,
  );
  terminal.out(`${document.secret}\n`);
}

/** A time of the API as a day; undefined for none. */
export function day(time: string | null): string | undefined {
  return time === null ? undefined : time.slice(0, 10);
}

export const projectColumns: readonly Column<ProjectDocument>[] = [
  { head: "PROJECT", cell: (project) => project.name, style: () => "bold" },
  { head: "VISIBILITY", cell: (project) => project.visibility },
  { head: "ROLE", cell: (project) => project.role ?? undefined },
  { head: "CREATED", cell: (project) => day(project.createdAt) },
  { head: "DESCRIPTION", cell: (project) => project.description || undefined },
];

export const userColumns: readonly Column<UserDocument>[] = [
  { head: "USER", cell: (user) => user.name, style: () => "bold" },
  { head: "ADMIN", cell: (user) => (user.admin ? "yes" : "no") },
  stateColumn(),
  { head: "CREATED", cell: (user) => day(user.createdAt) },
  { head: "DESCRIPTION", cell: (user) => user.description || undefined },
];

export const robotColumns: readonly Column<RobotDocument>[] = [
  { head: "ROBOT", cell: (robot) => robotName(robot), style: () => "bold" },
  { head: "USERNAME", cell: (robot) => robot.username },
  { head: "MAY", cell: (robot) => robot.actions.join(", ") },
  { head: "IN", cell: (robot) => robot.project ?? robot.projects?.join(", ") },
  stateColumn(),
  { head: "CREATED", cell: (robot) => day(robot.createdAt) },
  { head: "DESCRIPTION", cell: (robot) => robot.description || undefined },
];

export const tokenColumns: readonly Column<TokenDocument>[] = [
  { head: "ID", cell: (token) => String(token.id) },
  { head: "TOKEN", cell: (token) => token.name, style: () => "bold" },
  {
    head: "STATE",
    cell: (token) => token.state,
    style: (token) => (token.state === "active" ? "green" : "dim"),
  },
  { head: "EXPIRES", cell: (token) => day(token.expiresAt) ?? "never" },
  { head: "LAST USED", cell: (token) => token.lastUsedAt?.slice(0, 16).replace("T", " ") ?? "never" },
  { head: "CREATED", cell: (token) => day(token.createdAt) },
];

/** As the commands take it: `project/name`, or `name` of the site. */
export function robotName(robot: RobotDocument | CreatedRobot): string {
  return robot.project === null ? robot.name : `${robot.project}/${robot.name}`;
}

function stateColumn<T extends { readonly disabled: boolean }>(): Column<T> {
  return {
    head: "STATE",
    cell: (row) => (row.disabled ? "disabled" : "active"),
    style: (row) => (row.disabled ? "red" : "green"),
  };
}
