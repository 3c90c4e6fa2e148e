import { findToken } from "#core";
import type { Fault, Part, RuleFamily } from "./contract.ts";
import { lineAt } from "./line-at.ts";
import { isPlaceholder } from "./placeholder.ts";
import { recognisePart } from "./recognise-part.ts";

/** Pages, scripts and files that are shared: a secret in them is not where it belongs. */
export const writtenSecrets: RuleFamily = {
  kinds: ["document", "shell", "definition", "opensvc"],
  find(part) {
    if (!part.isWhole) return [];
    return [...decodableFaults(part), ...tokenFaults(part), ...exportFaults(part)];
  },
};

/** base64, over several lines too, that decodes to a login whose secret is no placeholder. */
function decodableFaults(part: Part): readonly Fault[] {
  const run = /[A-Za-z0-9+/]{16,}(?:\n[ \t]*[A-Za-z0-9+/]{4,}(?=={0,2}[ \t]*(?:\n|$)))*={0,2}/g;
  return [...part.text.matchAll(run)].flatMap((found): readonly Fault[] => {
    const decoded = Buffer.from(found[0].replace(/\s/g, ""), "base64").toString("utf8");
    const before = part.text.slice(Math.max(0, found.index - 40), found.index);
    const what =
      loginIn(decoded) ?? (/auth["']?\s*[:=]\s*["']?$/i.test(before) ? pairIn(decoded) : undefined);
    if (what === undefined) return [];
    return [
      {
        code: "WD090",
        line: lineAt(part, found.index),
        message: `this decodes to ${what}, with its secret`,
        right: "a placeholder here, and a new secret at the registry if this one was ever real",
      },
    ];
  });
}

function loginIn(json: string): string | undefined {
  const kind = json.trimStart().startsWith("{") ? recognisePart(json) : "document";
  if (kind !== "auth-json" && kind !== "bare-auths") return undefined;
  const root = JSON.parse(json) as Record<string, unknown>;
  const auths =
    kind === "bare-auths" ? root : Object.entries(root).find(([key]) => key.toLowerCase() === "auths")?.[1];
  if (typeof auths !== "object" || auths === null) return undefined;
  for (const [host, entry] of Object.entries(auths)) {
    if (typeof entry !== "object" || entry === null) continue;
    const { auth, password, username } = entry as Record<string, unknown>;
    const pair = typeof auth === "string" ? pairIn(Buffer.from(auth, "base64").toString("utf8")) : undefined;
    if (pair !== undefined) return `${pair} at ${host}`;
    if (typeof password === "string" && !isPlaceholder(password))
      return `the login of ${typeof username === "string" ? username : "somebody"} at ${host}`;
  }
  return undefined;
}

function pairIn(text: string): string | undefined {
  const found = /^([^:\p{Cc}\uFFFD]+):([^\p{Cc}\uFFFD]+)\s*$/u.exec(text);
  return found === null || isPlaceholder(found[2] ?? "") ? undefined : `the login of ${found[1]}`;
}

function tokenFaults(part: Part): readonly Fault[] {
  const found = findToken(part.text);
  if (found === undefined) return [];
  return [
    {
      code: "WD091",
      line: lineAt(part, found.index),
      message: `this looks like ${found.what}`,
      right: "a placeholder here, and a new token if this one was ever real",
    },
  ];
}

/** Prose that has people export the pair; code blocks are looked at as commands. */
function exportFaults(part: Part): readonly Fault[] {
  if (part.kind !== "document") return [];
  return part.text.split("\n").flatMap((line, index): readonly Fault[] => {
    const name =
      /\b(?:export|set)\b[^.]{0,40}`((?:SINGULARITY|APPTAINER)_DOCKER)_(?:USERNAME|PASSWORD)`/i.exec(line);
    if (name === null || /\b(?:not|never|unset|instead)\b/i.test(line.slice(0, name.index + 20))) return [];
    return [
      {
        code: "WD042",
        line: part.line + index,
        message: `${name[1]}_USERNAME and ${name[1]}_PASSWORD: the one pair is sent to every registry, and makes public pulls fail`,
        right: "the login in docker-config.json, and the variables unset",
        command: "wharf apply",
      },
    ];
  });
}
