import { Secret } from "#core";
import type { Compiled, ConsumerLogin, Entry, FileDocument, Refusal, Target, Warning } from "../contract.ts";
import { refuseForm, scopeOf } from "../coverage.ts";
import { compileCertificates } from "../whole-file.ts";
import { enrootHosts, hasKnownRealm } from "./hosts.ts";
import { isPlainUser, netrcKey, renderNetrcPassword } from "./netrc-line.ts";

/** Enroot's netrc-like file. */
export function enrootFile(target: Target): string {
  const named = target.env["ENROOT_CONFIG_PATH"] ?? "";
  const config = target.env["XDG_CONFIG_HOME"] ?? "";
  const folder = named !== "" ? named : `${config === "" ? `${target.home}/.config` : config}/enroot`;
  return `${folder}/.credentials`;
}

/** The version of the curl that Enroot will run: the delivery's `curl:`, else the place's. */
export function curlVersion(target: Target): string | undefined {
  const said = target.options?.["curl"];
  return typeof said === "string" || typeof said === "number" ? String(said) : target.versions?.["curl"];
}

/** A login with the line's text behind the host, and the hosts it needs lines for. */
interface Placed {
  readonly login: ConsumerLogin;
  readonly words: string;
  /** As in `Entry`. */
  readonly sends: Secret | undefined;
  readonly own: readonly string[];
  readonly realms: readonly string[];
}

export function compileEnroot(logins: readonly ConsumerLogin[], target: Target): Compiled {
  const formed = refuseForm(logins, { consumer: "enroot", identityTokens: false });
  const refusals: Refusal[] = [...formed.refusals];
  const placed: Placed[] = [];
  for (const login of formed.kept) {
    const written = writeLogin(login, target);
    if ("reason" in written) refusals.push({ login: login.name, ...written });
    else placed.push(written);
  }
  const rivals = refuseRivals(placed);
  const kept = placed.filter((each) => !rivals.some((refusal) => refusal.login === each.login.name));
  const entries = new Map<string, Entry>();
  for (const { login, words, sends, own, realms } of kept) {
    for (const host of [...own, ...realms]) {
      const key = netrcKey(host, login.username);
      if (!entries.has(key))
        entries.set(key, {
          key,
          login: login.name,
          content: new Secret(`machine ${host} ${words}`),
          ...(sends === undefined ? {} : { sends }),
        });
    }
  }
  const file: FileDocument = {
    kind: "file",
    path: enrootFile(target),
    mode: 0o600,
    folderMode: 0o700,
    entries: [...entries.values()],
  };
  const certificates = compileCertificates(
    kept.map((each) => each.login),
    target,
    {
      consumer: "enroot's curl",
      path: () => undefined,
      hint: () =>
        "as root, add the CA to the system's trust store on every node (update-ca-certificates or update-ca-trust)",
    },
  );
  return {
    documents: entries.size === 0 ? [] : [file],
    refusals: [...refusals, ...rivals],
    warnings: [...kept.flatMap(widerWarnings), ...certificates.warnings],
  };
}

function writeLogin(login: ConsumerLogin, target: Target): Placed | Omit<Refusal, "login"> {
  if (login.registry.startsWith("["))
    return { reason: "enroot cuts an IPv6 address at its last colon", hint: "give the registry a host name" };
  if (!isPlainUser(login.username))
    return {
      reason: "its username has white space or a character that enroot takes for a pattern",
      hint: "make a robot or token whose username has letters, digits, $ + - _ . @ only",
    };
  const password = renderNetrcPassword(
    { username: login.username, secret: login.secret.reveal() },
    curlVersion(target),
  );
  if ("reason" in password) return password;
  const { own, realms } = enrootHosts(login.registry, login.realmHosts);
  const sends = new Secret(password.sends);
  return {
    login,
    words: `login ${login.username} password ${password.text}`,
    sends: sends.equals(login.secret) ? undefined : sends,
    own,
    realms,
  };
}

/** One line for each host is read: logins that need different lines for the same host are refused, all of them. */
function refuseRivals(placed: readonly Placed[]): readonly Refusal[] {
  return placed.flatMap((one) => {
    const rival = placed.find(
      (other) => other !== one && clash(one, other) !== undefined && !isSameForAll(one, other),
    );
    if (rival === undefined) return [];
    const host = clash(one, rival) ?? "";
    return [
      {
        login: one.login.name,
        reason: `enroot reads one line for ${host}, whatever the port and path, and ${rival.login.name} needs it too`,
        hint: "deliver one of them to enroot; give each person their own login in their own home where they differ by person",
      },
    ];
  });
}

function clash(one: Placed, other: Placed): string | undefined {
  const theirs = new Set([...other.own, ...other.realms]);
  return [...one.own, ...one.realms].find((host) => theirs.has(host));
}

/** The same user and secret for both, so that one line serves. */
function isSameForAll(one: Placed, other: Placed): boolean {
  return one.words === other.words;
}

function widerWarnings({ login, own, realms }: Placed): readonly Warning[] {
  const found: Warning[] = [];
  const host = login.registry === "docker.io" ? login.registry : (own[0] ?? login.registry);
  found.push({
    kind: "wider",
    login: login.name,
    message:
      login.path === undefined
        ? `enroot knows no ports: it sends this login for images of every port of ${host}`
        : `enroot knows neither paths nor ports: it sends this login for every image of ${host}, not only ${scopeOf(login)}`,
  });
  if (realms.length > 0)
    found.push({
      kind: "wider",
      login: login.name,
      message: `this login is written for ${realms.join(", ")} too, where ${login.registry} sends curl for a token: images there would get it as well`,
    });
  if (login.realmHosts === undefined && !hasKnownRealm(login.registry))
    found.push({
      kind: "format",
      login: login.name,
      message: `which host hands out tokens for ${login.registry} is not known; where it is another one, enroot sends no password`,
      hint: "say realm-hosts: in wharf.yaml, or log in again where the registry can be reached",
    });
  return found;
}
