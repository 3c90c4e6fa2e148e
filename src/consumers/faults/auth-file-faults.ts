import { authsOf } from "../auth-file.ts";
import { mistypedSection } from "../docker/docker-config.ts";
import { fieldOf, type JsonMember, type JsonObject, parseJsonText, stringField } from "../json-text.ts";
import { entryFaults } from "./auth-entry-faults.ts";
import { keyFaults } from "./auth-key-faults.ts";
import type { Fault, Part, RuleFamily } from "./contract.ts";
import { lineAt } from "./line-at.ts";

/** A JSON file of logins, as its rules look at it. */
export interface AuthView {
  readonly part: Part;
  readonly root: JsonObject;
  readonly members: readonly JsonMember[];
  /** Path of names to the entries: `auths`, or nothing where the wrapper is missing. */
  readonly section: readonly string[];
}

/** JSON files of logins: docker's, podman's, apptainer's, the kubelet's, and what is inside a Secret. */
export const authFiles: RuleFamily = {
  kinds: ["auth-json", "bare-auths", "broken-json"],
  find(part) {
    if (part.kind === "broken-json") return [brokenFault(part)];
    const root = parseJsonText(part.text, part.path);
    const isBare = part.kind === "bare-auths";
    const members = isBare ? root.members : (authsOf(root)?.members ?? []);
    const view: AuthView = { part, root, members, section: isBare ? [] : ["auths"] };
    const faults = [
      ...(isBare ? [wrapperFault(part, root)] : sectionFaults(part, root)),
      ...helperFaults(view),
      ...members.flatMap((member) => entryFaults(view, member)),
      ...keyFaults(view),
    ];
    return part.isWhole ? faults : faults.map(({ mend: _mend, ...fault }) => fault);
  },
};

function brokenFault(part: Part): Fault {
  const where = faultPlace(part);
  return {
    code: "WD014",
    line: where.line,
    message: `this is not JSON${where.column === undefined ? "" : ` from column ${where.column} on`}`,
    right: "JSON: double quotes, no comment, no comma behind the last member",
  };
}

function faultPlace(part: Part): { readonly line: number | undefined; readonly column: number | undefined } {
  try {
    parseJsonText(part.text, "");
    return { line: part.line, column: undefined };
  } catch (fault) {
    // The parser's own position: `:2:7: …`, never content.
    const [, line, column] = /:(\d+):(\d+):/.exec(fault instanceof Error ? fault.message : "") ?? [];
    return {
      line: part.line + Number(line ?? 1) - 1,
      column: column === undefined ? undefined : Number(column),
    };
  }
}

function wrapperFault(part: Part, root: JsonObject): Fault {
  const hosts = root.members.map((member) => member.key).join(", ");
  return {
    code: "WD006",
    line: part.line,
    message: `${hosts} stands at the top: without "auths" around it no program reads a login from this, and none says so`,
    right: '{"auths": {…}} around the entries',
    mend: {
      says: 'puts {"auths": …} around all of it',
      apply: () => `{"auths": ${part.text.trim()}}\n`,
    },
  };
}

function sectionFaults(part: Part, root: JsonObject): readonly Fault[] {
  const section = mistypedSection(root);
  if (section === undefined) return [];
  return [
    {
      code: "WD014",
      line: lineAt(part, fieldOf(root, section)?.start),
      message: `${section} has another type than programs decode, so none of them loads the file`,
      right: section === "credsStore" ? "a text: the helper's name" : "an object",
    },
  ];
}

/** Helpers: what they hide from docker, and what is not in the file for everybody else. */
function helperFaults({ part, root, members }: AuthView): readonly Fault[] {
  const store = fieldOf(root, "credsStore");
  const name = stringField(root, "credsStore") ?? "";
  const withLogin = members.filter((member) => hasLogin(member));
  const faults: Fault[] = [];
  if (name !== "" && part.reader !== "docker" && part.reader !== "apptainer")
    faults.push({
      code: "WD010",
      line: lineAt(part, store?.start),
      message: `credsStore ${name}: ${part.reader === "kubelet" ? "the kubelet" : part.reader} does not ask helpers, so ${
        withLogin.length === 0 ? "there is no login in this at all" : "what is kept there is not in this"
      }`,
      right: "the entries themselves, with auth",
    });
  if (part.reader !== "docker" && part.reader !== "apptainer") return faults;
  const own = fieldOf(root, "credHelpers")?.value;
  for (const member of withLogin) {
    const named =
      own?.kind === "object" ? own.members.find(({ key }) => key === member.key)?.value : undefined;
    const helper = named?.kind === "string" ? named.value : name;
    if (helper === "") continue;
    faults.push({
      code: "WD009",
      line: lineAt(part, member.start),
      message: `${member.key}: docker asks docker-credential-${helper} (${named === undefined ? "credsStore" : "credHelpers"}) and does not read this entry`,
      right: `the login in the helper, or "credHelpers": {"${member.key}": ""} so that the file is read`,
    });
  }
  return faults;
}

function hasLogin({ value }: JsonMember): boolean {
  return ["auth", "username", "password", "identitytoken"].some(
    (name) => (stringField(value, name) ?? "") !== "",
  );
}
