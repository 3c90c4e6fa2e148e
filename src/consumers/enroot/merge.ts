import type { EntryChange, FileDocument, Merged, Warning } from "../contract.ts";
import { parseNetrc, readNetrcText } from "./netrc.ts";
import { netrcKey, parseNetrcLine } from "./netrc-line.ts";

/**
 * Merges lines into `.credentials`. Comments and everybody's lines stay byte for byte; ours stands before the first other thing that
 * curl or Enroot would find for its host, since both take the first. Throws FILE_INVALID.
 */
export function mergeEnroot(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  const file = document.path;
  const before = current === undefined ? "" : readNetrcText(current, file);
  parseNetrc(before, file);
  // Each line with its end, so that joining gives the same bytes.
  let lines: string[] = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const changes: EntryChange[] = [];
  const warnings: Warning[] = [];
  for (const entry of document.entries) {
    const wanted = entry.content.reveal();
    const done = putLine([...lines], entry.key, wanted);
    lines = done.lines;
    changes.push({ ...done.change, login: entry.login });
    if (done.change.action === "update" && !owned.has(entry.key))
      warnings.push({
        kind: "format",
        login: entry.login,
        message: `${file}: the line ${entry.key} was not written by wharf and is replaced`,
      });
  }
  const wanted = new Set(document.entries.map((entry) => entry.key));
  for (const key of owned) {
    if (wanted.has(key)) continue;
    const without = dropLines(lines, key);
    if (without.length !== lines.length) changes.push({ key, login: undefined, action: "remove" });
    lines = without;
  }
  const text = lines.join("");
  warnings.push(...inspect(lines, document));
  const isGone = text.trim() === "" && (before.trim() !== "" || document.entries.length === 0);
  return {
    content:
      isGone && changes.length > 0 ? undefined : text === before ? current : new TextEncoder().encode(text),
    changes,
    warnings,
    refusals: [],
  };
}

function putLine(
  lines: string[],
  key: string,
  wanted: string,
): { readonly lines: string[]; readonly change: Omit<EntryChange, "login"> } {
  const host = parseNetrcLine(wanted)?.host ?? "";
  const index = lines.findIndex((line) => keyOf(line) === key);
  const old = lines[index];
  const first = lines.findIndex((line) => standsBefore(line, host));
  if (old === undefined) {
    insert(lines, first < 0 ? lines.length : first, wanted);
    return { lines, change: { key, action: "add" } };
  }
  const isFirst = first === index;
  if (isFirst && withoutEnd(old) === wanted) return { lines, change: { key, action: "keep" } };
  const isSameSecret = parseNetrcLine(old)?.password === parseNetrcLine(wanted)?.password;
  const differs = [...(isSameSecret ? [] : ["secret"]), ...(isFirst ? [] : ["order"])];
  if (isFirst) lines[index] = wanted + endOf(old);
  else {
    lines.splice(index, 1);
    insert(lines, first, wanted);
  }
  return { lines, change: { key, action: "update", differs: differs.length === 0 ? ["form"] : differs } };
}

/** Would curl or Enroot, looking for this host, stop at this line: a line for the host, or one that is no plain line at all. */
function standsBefore(line: string, host: string): boolean {
  const text = withoutEnd(line);
  if (/^\s*(?:#|$)/.test(text)) return false;
  const parsed = parseNetrcLine(text);
  return parsed === undefined || parsed.password === "" || parsed.host.toLowerCase() === host.toLowerCase();
}

function insert(lines: string[], at: number, wanted: string): void {
  const last = lines.at(-1);
  if (at < lines.length || last === undefined || last.endsWith("\n")) {
    lines.splice(at, 0, `${wanted}\n`);
    return;
  }
  // Their last line has no end: ours takes that form over, and gives it back when it goes.
  lines[lines.length - 1] = `${last}\n`;
  lines.push(wanted);
}

function dropLines(lines: readonly string[], key: string): string[] {
  const kept = lines.filter((line) => keyOf(line) !== key);
  const wasOpen = lines.at(-1)?.endsWith("\n") === false && keyOf(lines.at(-1) ?? "") === key;
  const last = kept.at(-1);
  if (wasOpen && last !== undefined) kept[kept.length - 1] = last.replace(/\n$/, "");
  return kept;
}

function inspect(lines: readonly string[], document: FileDocument): readonly Warning[] {
  const ours = new Set(document.entries.map((entry) => entry.key));
  const warnings: Warning[] = [];
  for (const [index, line] of lines.entries()) {
    const parsed = parseNetrcLine(withoutEnd(line));
    if (parsed === undefined || ours.has(netrcKey(parsed.host, parsed.user))) continue;
    const where = `${document.path}:${index + 1}`;
    if (parsed.password.startsWith("$"))
      warnings.push({
        kind: "danger",
        message: `${where}: enroot gives this password to a shell, since it begins with $`,
        hint: "put it in double quotes (curl 7.84 or newer), or make a new one",
      });
    const rival = document.entries.find((entry) => entry.key.startsWith(`machine ${parsed.host} login `));
    if (rival !== undefined)
      warnings.push({
        kind: "shadowed",
        message: `${where}: this line for ${parsed.host} is no longer used: that of ${rival.login} stands before it`,
      });
  }
  return warnings;
}

function keyOf(line: string): string | undefined {
  const parsed = parseNetrcLine(withoutEnd(line));
  return parsed === undefined ? undefined : netrcKey(parsed.host, parsed.user);
}

function withoutEnd(line: string): string {
  return line.replace(/\r?\n$/, "");
}

function endOf(line: string): string {
  return line.slice(withoutEnd(line).length);
}
