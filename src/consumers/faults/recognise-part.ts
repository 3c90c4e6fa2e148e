import { parseAllDocuments } from "yaml";
import { fieldOf, type JsonObject, parseJsonText } from "../json-text.ts";
import type { PartKind } from "./contract.ts";

/** Sections of docker's and podman's files; one of them is enough to know such a file by. */
const AUTH_SECTIONS = ["auths", "credsstore", "credhelpers"];
const ENTRY_FIELDS = ["auth", "username", "password", "email", "identitytoken", "registrytoken"];

/** What a text is, told by its content alone. `document` for what is nothing else: prose, scripts, pages with code blocks. */
export function recognisePart(text: string): PartKind {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) return recogniseJson(trimmed);
  if (isNetrc(text)) return "netrc";
  if (isDefinition(text)) return "definition";
  if (/^[ \t]*\[\s*host\s*\.\s*["']/m.test(text) || /^[ \t]*server\s*=\s*"https?:/m.test(text))
    return "hosts-toml";
  if (/^[ \t]*\[+[ \t]*(?:plugins[ \t]*\.[ \t]*["']io\.containerd|crio)/m.test(text) || isContainerd(text))
    return /\{\{/.test(text) ? "containerd-template" : "containerd";
  if (isOpensvc(text)) return "opensvc";
  return recogniseYaml(text) ?? (text.startsWith("#!") ? "shell" : "document");
}

/** Does the whole of a parsed text say that it holds logins without `auths` around them. */
export function isBareAuths(root: JsonObject): boolean {
  return (
    root.members.length > 0 &&
    root.members.every(
      ({ key, value }) =>
        value.kind === "object" &&
        /[.:]|^localhost/.test(key) &&
        value.members.some((member) => ENTRY_FIELDS.includes(member.key.toLowerCase())),
    )
  );
}

function recogniseJson(text: string): PartKind {
  let root: JsonObject;
  try {
    root = parseJsonText(text, "");
  } catch {
    // Not JSON is what the rule for broken files says; whose file it is, its words tell.
    return /"(?:auths|credsStore|credHelpers)"\s*:/.test(text) ? "broken-json" : "document";
  }
  if (root.members.some((member) => AUTH_SECTIONS.includes(member.key.toLowerCase()))) return "auth-json";
  if (isBareAuths(root)) return "bare-auths";
  const kind = fieldOf(root, "kind")?.value;
  return kind?.kind === "string" && kind.value === "Secret" ? "secret" : "document";
}

/** Most lines that say something begin with a word of netrc. */
function isNetrc(text: string): boolean {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^[ \t]*#/.test(line));
  return (
    lines.some((line) => /^[ \t]*machine\s+\S/.test(line)) &&
    lines.every((line) => /^[ \t]*(?:machine|login|password|default|account|macdef)\b/.test(line))
  );
}

function isDefinition(text: string): boolean {
  const header = text.split(/^%/m)[0] ?? "";
  const has = (word: string): boolean => new RegExp(`^[ \\t]*${word}[ \\t]*:`, "im").test(header);
  const isPlain = header.split("\n").every((line) => /^[ \t]*(?:#.*|[A-Za-z]+\s*:.*|)$/.test(line));
  return (
    isPlain && (has("bootstrap") || (has("from") && (has("username") || has("password") || has("registry"))))
  );
}

function isContainerd(text: string): boolean {
  return /^[ \t]*version\s*=\s*[23]\s*$/m.test(text) && /^[ \t]*\[/m.test(text);
}

function isOpensvc(text: string): boolean {
  return /^[ \t]*registry_creds(?:@\S+)?\s*=/m.test(text);
}

function recogniseYaml(text: string): PartKind | undefined {
  if (text.startsWith("$ANSIBLE_VAULT")) return undefined;
  if (/^(?:- )?kind:\s*["']?Secret\b/m.test(text) || /^[ \t]*\.dockerconfigjson:/m.test(text))
    return "secret";
  if (/^[ \t]*docker_login_registries\s*:/m.test(text)) return "ansible-vars";
  if (!/^(?:configs|mirrors):/m.test(text)) return undefined;
  const documents = parseAllDocuments(text, { logLevel: "silent" });
  const isYaml = Array.isArray(documents) && documents.every((document) => document.errors.length === 0);
  return isYaml ? "registries" : undefined;
}
