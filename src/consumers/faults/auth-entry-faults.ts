import { parseEntry, renderAuth } from "../auth-entry.ts";
import { removeJson, setJson } from "../json-edit.ts";
import { fieldOf, type JsonMember, stringField } from "../json-text.ts";
import type { AuthView } from "./auth-file-faults.ts";
import type { Fault, Mend } from "./contract.ts";
import { lineAt } from "./line-at.ts";
import { isPlaceholder } from "./placeholder.ts";

/** Azure's registry wants this name beside a refresh token; docker refuses an empty one. */
const TOKEN_USER = "00000000-0000-0000-0000-000000000000";

/** Usernames of tokens that a program makes for one job or a few hours. */
const SHORT_LIVED: Readonly<Record<string, string>> = {
  AWS: "an ECR password ends after 12 hours",
  oauth2accesstoken: "a Google access token ends after an hour",
  "gitlab-ci-token": "a GitLab job's token ends with the job",
  [TOKEN_USER]: "an Azure token ends after a few hours",
};

/** NGC's username as it looks when an escape, or the lack of one, got into the file. */
export function isNgcMisspelt(username: string): boolean {
  return /^(?:\\\$|\$\$|\$?\{)?oauthtoken\}?$/i.test(username) && username !== "$oauthtoken";
}

/** What is wrong with one entry's content, whatever its key. */
export function entryFaults(view: AuthView, member: JsonMember): readonly Fault[] {
  return [
    ...pairFaults(view, member),
    ...tokenFaults(view, member),
    ...accountFaults(view, member),
    ...endedFaults(view, member),
  ];
}

function pairFaults(view: AuthView, member: JsonMember): readonly Fault[] {
  const { key, value } = member;
  const written = stringField(value, "auth") ?? "";
  const username = stringField(value, "username") ?? "";
  const password = stringField(value, "password") ?? "";
  const token = stringField(value, "identitytoken") ?? "";
  const at = lineAt(view.part, (fieldOf(value, "auth") ?? member).start);
  if (written === "") {
    if (username !== "" && password !== "") return [inlineFault(view, member, { username, password })];
    return token === "" && isMarkerFault(view, member) ? [emptyFault(view, member)] : [];
  }
  if (isPlaceholder(written)) return [];
  const { auth } = parseEntry(value);
  if (auth === "broken") return [brokenFault(view, member, written)];
  if (auth === undefined) return [];
  if (auth.username === "" && token === "" && auth.secret.length > 0 && username === "")
    return [
      {
        code: "WD003",
        line: at,
        message: `${key}: auth decodes to ":" and a secret, without a username`,
        right: "base64 of user:secret",
      },
    ];
  if (auth.username === "")
    return [
      {
        code: "WD003",
        line: at,
        message: `${key}: auth has no username, and docker gives the whole file up for it`,
        right: `base64 of ${token === "" ? "user:secret" : `${TOKEN_USER}:`}`,
        ...mendEntry(view, member, {
          says: `${key}: auth begins with ${username === "" ? TOKEN_USER : "the entry's username"}`,
          fields: { auth: renderAuth(username === "" ? TOKEN_USER : username, auth.secret.reveal()) },
        }),
      },
    ];
  const secret = auth.secret.reveal();
  if (!/[\r\n]$/.test(secret)) return [];
  return [
    {
      code: "WD008",
      line: at,
      message: `${key}: the secret ends in a line break, which is sent with it`,
      right: "base64 of user:secret and nothing behind it",
      ...mendEntry(view, member, {
        says: `${key}: auth without the line break`,
        fields: { auth: renderAuth(auth.username, secret.replace(/[\r\n]+$/, "")) },
      }),
    },
  ];
}

function inlineFault(
  view: AuthView,
  member: JsonMember,
  pair: { readonly username: string; readonly password: string },
): Fault {
  const { key } = member;
  const line = lineAt(view.part, member.start);
  if (pair.username.includes(":"))
    return {
      code: "WD015",
      line,
      message: `${key}: the username has a colon in it, and user:secret is split at the first one`,
      right: "a username without a colon; the registry may have another for the same account",
    };
  const readers =
    view.part.reader === "podman"
      ? "podman reads no login here"
      : "podman, skopeo, buildah and CRI-O read no login here";
  const isExample = isPlaceholder(pair.password) || isPlaceholder(pair.username);
  return {
    code: "WD007",
    line,
    message: `${key}: username and password without auth: ${readers}`,
    right: '"auth": base64 of user:secret',
    ...(isExample
      ? {}
      : mendEntry(view, member, {
          says: `${key}: auth is written in place of username and password`,
          fields: { auth: renderAuth(pair.username, pair.password) },
          without: ["username", "password"],
        })),
  };
}

/** What can still be read from an `auth` that no program reads: other alphabets, blanks, missing padding, a pair beside it. */
function brokenFault(view: AuthView, member: JsonMember, written: string): Fault {
  const { key, value } = member;
  const line = lineAt(view.part, fieldOf(value, "auth")?.start);
  const username = stringField(value, "username") ?? "";
  const password = stringField(value, "password") ?? "";
  const compact = written.replace(/\s/g, "").replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  const isBase64 = /^[A-Za-z0-9+/]+$/.test(compact) && compact.length % 4 !== 1;
  const decoded = isBase64 ? Buffer.from(compact, "base64").toString("utf8") : "";
  const isPair = /^[^:\p{Cc}]+:./u.test(decoded) && !decoded.includes("\uFFFD");
  const auth = isPair
    ? Buffer.from(decoded, "utf8").toString("base64")
    : username !== "" && password !== "" && !username.includes(":")
      ? renderAuth(username, password)
      : undefined;
  const hasNoColon = isBase64 && !isPair && !decoded.includes(":") && /^[^\p{Cc}\uFFFD]+$/u.test(decoded);
  const isPlain = /^[^:\s]+:\S/.test(written);
  const says = hasNoColon
    ? "auth decodes to a text without a colon"
    : isPlain
      ? "auth is written out, not in base64"
      : "auth is not padded standard base64";
  const plain = isPlain ? Buffer.from(written, "utf8").toString("base64") : auth;
  return {
    code: hasNoColon ? "WD005" : "WD004",
    line,
    message: `${key}: ${says}; ${consequence(view.part.reader)}`,
    right: "padded standard base64 of user:secret",
    ...(plain === undefined
      ? {}
      : mendEntry(view, member, { says: `${key}: auth in padded standard base64`, fields: { auth: plain } })),
  };
}

function consequence(reader: string): string {
  if (reader === "kubelet") return "every pull of the pod fails, of public images too";
  if (reader === "podman") return "a pull from there fails";
  return "docker stops there, and reads the file's other logins or not by chance";
}

/** A token that tells its own end (JWT, RFC 7519 section 4.1.4). */
function endedFaults(view: AuthView, member: JsonMember): readonly Fault[] {
  const { now } = view.part;
  const { auth, password } = parseEntry(member.value);
  const ends = endOf((typeof auth === "object" ? auth.secret : password)?.reveal() ?? "");
  if (now === undefined || ends === undefined || ends > now) return [];
  return [
    {
      code: "WD057",
      line: lineAt(view.part, member.start),
      message: `${member.key}: the token ended on ${ends.toISOString()}, and is refused since`,
      right: "a new token, or a robot's login that does not end",
    },
  ];
}

/** undefined where a secret is no such token, or tells no end. */
function endOf(secret: string): Date | undefined {
  const payload = /^[\w-]{4,4096}\.([\w-]{4,16384})\.[\w-]{0,4096}$/.exec(secret)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
    const exp = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : undefined;
    const ends = new Date(typeof exp === "number" ? exp * 1000 : Number.NaN);
    return Number.isNaN(ends.getTime()) ? undefined : ends;
  } catch {
    // A secret of three parts that is no token.
    return undefined;
  }
}

/** docker leaves `{}` behind as a mark that a helper has the login; to the kubelet it is an empty login. */
function isMarkerFault({ part }: AuthView, { value }: JsonMember): boolean {
  const isEmpty =
    value.kind === "object" &&
    value.members.every((field) => field.value.kind !== "string" || field.value.value === "");
  return isEmpty && part.reader === "kubelet";
}

function emptyFault(view: AuthView, member: JsonMember): Fault {
  return {
    code: "WD011",
    line: lineAt(view.part, member.start),
    message: `${member.key}: the entry is empty, and the kubelet sends an empty login for it`,
    right: "an entry with auth, or none",
    ...mendPath(
      view,
      `the empty entry ${member.key} goes`,
      (text, path) => removeJson(text, path, view.part.path),
      member.key,
    ),
  };
}

/** Accounts that are known by their names: NGC's one, and those of tokens that end within hours. */
function accountFaults(view: AuthView, member: JsonMember): readonly Fault[] {
  const { auth, username: inline } = parseEntry(member.value);
  const username = typeof auth === "object" ? auth.username : (inline ?? "");
  const secret = typeof auth === "object" ? auth.secret : undefined;
  const line = lineAt(view.part, member.start);
  const why = SHORT_LIVED[username];
  if (why !== undefined && (secret === undefined || secret.length > 0))
    return [
      {
        code: "WD056",
        line,
        message: `${member.key}: ${why}`,
        right: "a robot's or a service account's login, or password: { exchange: … } in wharf.yaml",
      },
    ];
  if (!/^(?:https:\/\/)?nvcr\.io(?:\/|$)/.test(member.key) || !isNgcMisspelt(username)) return [];
  return [
    {
      code: "WD019",
      line,
      message: `${member.key}: the username is ${username}, and NGC knows $oauthtoken alone`,
      right: "$oauthtoken",
      ...(secret === undefined
        ? {}
        : mendEntry(view, member, {
            says: `${member.key}: the username becomes $oauthtoken`,
            fields: { auth: renderAuth("$oauthtoken", secret.reveal()) },
            without: ["username", "password"],
          })),
    },
  ];
}

function tokenFaults(view: AuthView, member: JsonMember): readonly Fault[] {
  const { key, value } = member;
  const token = stringField(value, "identitytoken") ?? "";
  if (token === "") return [];
  const line = lineAt(view.part, fieldOf(value, "identitytoken")?.start);
  if (view.part.reader === "kubelet")
    return [
      {
        code: "WD012",
        line,
        message: `${key}: the kubelet passes identity tokens over`,
        right: `a password or token of the registry in auth; for Azure the refresh token as the password of ${TOKEN_USER}`,
      },
    ];
  if ((stringField(value, "auth") ?? "") !== "") return [];
  return [
    {
      code: "WD012",
      line,
      message: `${key}: podman passes an identity token over where no auth stands beside it`,
      right: "auth: base64 of user: (the password left out) beside the token",
      ...mendEntry(view, member, {
        says: `${key}: auth of ${TOKEN_USER}: is written beside the token`,
        fields: { auth: renderAuth(stringField(value, "username") ?? TOKEN_USER, "") },
      }),
    },
  ];
}

function mendEntry(
  view: AuthView,
  member: JsonMember,
  change: {
    readonly says: string;
    readonly fields: Readonly<Record<string, string>>;
    readonly without?: readonly string[];
  },
): { readonly mend: Mend } {
  const file = view.part.path;
  return mendPath(
    view,
    change.says,
    (text, path) => {
      let edited = text;
      for (const [name, value] of Object.entries(change.fields))
        edited = setJson(edited, [...path, name], value, file);
      for (const name of change.without ?? []) edited = removeJson(edited, [...path, name], file);
      return edited;
    },
    member.key,
  );
}

function mendPath(
  view: AuthView,
  says: string,
  edit: (text: string, path: readonly [string, ...string[]]) => string,
  key: string,
): { readonly mend: Mend } {
  const [first, ...rest] = [...view.section, key];
  return { mend: { says, apply: () => edit(view.part.text, [first ?? key, ...rest]) } };
}
