import { enrootHosts, hasKnownRealm } from "../enroot/hosts.ts";
import { isOlder, parseNetrcLine } from "../enroot/netrc-line.ts";
import { isNgcMisspelt } from "./auth-entry-faults.ts";
import type { Fault, Mend, Part, RuleFamily } from "./contract.ts";
import { isPlaceholder } from "./placeholder.ts";

/** Registries whose tokens come from another host, by the name that stands in the file. */
const SPLIT = ["docker.io", "nvcr.io", "registry.gitlab.com"];
const QUOTING = "7.84";

/** Enroot's `.credentials`, as its own script and its curl read it. */
export const netrcLines: RuleFamily = {
  kinds: ["netrc"],
  find(part) {
    const lines = part.text.split("\n");
    return [...lines.flatMap((line, index) => lineFaults(part, line, index)), ...hostFaults(part, lines)];
  },
};

function lineFaults(part: Part, raw: string, index: number): readonly Fault[] {
  const line = raw.replace(/\r$/, "");
  if (line.trim() === "" || /^\s*#/.test(line)) return [];
  const at = part.line + index;
  const found = parseNetrcLine(line);
  if (found === undefined || found.password === "")
    return /^\s*(?:machine|default)\b/.test(line) ? [formFault(part, line, index)] : [];
  const faults: Fault[] = [];
  const rest = line.trimStart();
  const mend = (says: string, text: string): { mend?: Mend } => mendLine(part, index, says, text);
  if (found.indented)
    faults.push({
      code: "WD036",
      line: at,
      message: `machine ${found.host}: with a space before it Enroot 4 finds the user and not the password`,
      right: "the line at the margin",
      ...mend("the line at the margin", rest),
    });
  if (/:\d+$/.test(found.host)) {
    const host = found.host.replace(/:\d+$/, "");
    faults.push({
      code: "WD032",
      line: at,
      message: `machine ${found.host}: Enroot looks for the host without its port`,
      right: `machine ${host}`,
      ...mend(`machine ${found.host} becomes machine ${host}`, line.replace(found.host, host)),
    });
  }
  return [
    ...faults,
    ...userFaults(part, { line, index, user: found.user, host: found.host }),
    ...passwordFaults(part, { line, index, ...found }),
  ];
}

interface At {
  readonly line: string;
  readonly index: number;
  readonly user: string;
  readonly host: string;
}

function userFaults(part: Part, { line, index, user, host }: At): readonly Fault[] {
  const bare = user.replace(/^(["'])(.*)\1$/, "$2").replaceAll("\\$", "$");
  if (/^(?:nvcr\.io|authn\.nvidia\.com)(?::\d+)?$/.test(host) && isNgcMisspelt(bare))
    return [
      {
        code: "WD019",
        line: part.line + index,
        message: `machine ${host}: the username is ${bare}, and NGC knows $oauthtoken alone`,
        right: "login $oauthtoken",
        ...mendLine(
          part,
          index,
          "the username becomes $oauthtoken",
          line.replace(user, () => "$oauthtoken"),
        ),
      },
    ];
  const isPattern = /[*[\]\\]|^\^/.test(bare) && !isPlaceholder(bare);
  if (bare === user && !isPattern) return [];
  return [
    {
      code: "WD037",
      line: part.line + index,
      message: `machine ${host}: Enroot takes the username ${isPattern ? "for a pattern, which does not fit itself" : "to the letter, quotes and backslashes too"}`,
      right: isPattern ? "a username without * [ \\" : `login ${bare}`,
      ...(isPattern
        ? {}
        : mendLine(
            part,
            index,
            `the username becomes ${bare}`,
            line.replace(user, () => bare),
          )),
    },
  ];
}

function passwordFaults(part: Part, at: At & { readonly password: string }): readonly Fault[] {
  const { password, host, index } = at;
  const line = part.line + index;
  if (isPlaceholder(password) && !password.startsWith("$")) return [];
  const isQuoted = /^"(?:[^"\\]|\\.)*"$/.test(password);
  if (isQuoted) {
    if (part.curl === undefined || !isOlder(part.curl, QUOTING)) return [];
    return [
      {
        code: "WD035",
        line,
        message: `machine ${host}: curl ${part.curl} sends the quotes around the password with it`,
        right: `a secret without spaces that does not begin with $, " or #; or curl ${QUOTING} on every node`,
      },
    ];
  }
  // A login behind a portable `$(printf …)` is a way of Enroot's own documentation.
  const runs = password.startsWith("$");
  const isCut = /\s/.test(password) && !runs;
  const isLost = /^[#"]/.test(password);
  if (!runs && !isCut && !isLost) return [];
  const isOld = part.curl !== undefined && isOlder(part.curl, QUOTING);
  const quoted = `"${password.replace(/[\\"]/g, (char) => `\\${char}`)}"`;
  const isSure = !isOld && !/^\$\(|^"/.test(password);
  return [
    {
      code: runs ? "WD033" : "WD034",
      line,
      message: runs
        ? `machine ${host}: the password begins with $, and Enroot gives such a one to a shell`
        : `machine ${host}: ${isCut ? "curl ends the password at the space" : "curl does not read a password that begins so"}`,
      right: `the password in double quotes, where every node has curl ${QUOTING} or newer`,
      ...(isSure
        ? mendLine(
            part,
            index,
            `the password of machine ${host} in double quotes`,
            at.line.slice(0, at.line.lastIndexOf(password)) + quoted,
          )
        : {}),
    },
  ];
}

/** Two hosts: Enroot asks under the registry's own name, and its curl under that of the token endpoint. */
function hostFaults(part: Part, lines: readonly string[]): readonly Fault[] {
  const found = lines.flatMap((line, index) => {
    const parsed = parseNetrcLine(line.replace(/\r$/, ""));
    return parsed === undefined ? [] : [{ ...parsed, host: parsed.host.replace(/:\d+$/, ""), index, line }];
  });
  const has = (host: string): boolean => found.some((line) => line.host === host);
  const faults: Fault[] = [];
  for (const registry of SPLIT.filter(hasKnownRealm)) {
    const { own, realms } = enrootHosts(registry);
    const main = own[0] ?? registry;
    const mine = found.find((line) => own.includes(line.host));
    const theirs = found.find((line) => realms.includes(line.host));
    const from = mine ?? theirs;
    if (from === undefined) continue;
    const missing = [...(has(main) ? [] : [main]), ...realms.filter((host) => !has(host))];
    for (const host of missing) {
      const isOwn = host === main;
      const added = from.line
        .replace(/\r$/, "")
        .replace(/(machine\s+)\S+/, `$1${host}`)
        .trimStart();
      faults.push({
        code: isOwn ? "WD030" : "WD031",
        line: part.line + from.index,
        message: isOwn
          ? `machine ${from.host} alone: Enroot looks for ${host} first, finds nobody and pulls anonymously`
          : `machine ${from.host} alone: tokens of ${registry} come from ${host}, for which curl finds no password`,
        right: `a second line, machine ${host}, with the same login`,
        ...mendLine(
          part,
          from.index,
          `a line machine ${host} with the same login is added`,
          `${from.line}\n${added}`,
        ),
      });
    }
  }
  for (const [host, same] of Map.groupBy(found, (line) => line.host)) {
    const [first] = same;
    const other = same.find((line) => line.user !== first?.user);
    if (first === undefined || other === undefined) continue;
    faults.push({
      code: "WD038",
      line: part.line + other.index,
      message: `machine ${host}: ${first.user} stands before ${other.user}, and curl takes the first line for both`,
      right: `one line for ${host}; a person's own login in that person's file`,
    });
  }
  return faults;
}

function formFault(part: Part, line: string, index: number): Fault {
  const words = line.trim().split(/\s+/);
  const value = (name: string): string | undefined => words[words.indexOf(name) + 1];
  const isReordered =
    ["machine", "login", "password"].every((name) => words.includes(name)) && words.length === 6;
  const isDefault = words[0] === "default";
  return {
    code: "WD036",
    line: part.line + index,
    message: isDefault
      ? "Enroot does not read default"
      : isReordered
        ? "Enroot reads machine, login, password in this order alone"
        : "Enroot reads machine, login and password on one line alone",
    right: "machine HOST login USER password SECRET, for each host",
    ...(isReordered
      ? mendLine(
          part,
          index,
          "machine, login, password in this order",
          `machine ${value("machine")} login ${value("login")} password ${value("password")}`,
        )
      : {}),
  };
}

function mendLine(part: Part, index: number, says: string, text: string): { mend?: Mend } {
  if (!part.isWhole) return {};
  return {
    mend: {
      says,
      apply: () =>
        part.text
          .split("\n")
          .map((line, at) => (at === index ? text : line))
          .join("\n"),
    },
  };
}
