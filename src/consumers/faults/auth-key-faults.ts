import { differences, parseEntry } from "../auth-entry.ts";
import { HUB_KEY, hostOfKey } from "../docker/docker-config.ts";
import { removeJson, setJson } from "../json-edit.ts";
import { fieldOf, type JsonMember, type JsonNode, memberOf } from "../json-text.ts";
import type { AuthView } from "./auth-file-faults.ts";
import type { Fault } from "./contract.ts";
import { lineAt } from "./line-at.ts";

const HUB_HOSTS = [
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "hub.docker.com",
  "registry.hub.docker.com",
];

/** What is wrong with the keys of a file, taken together. */
export function keyFaults(view: AuthView): readonly Fault[] {
  return [
    ...view.members.flatMap(
      (member) => hubFault(view, member) ?? shapeFault(view, member) ?? prefixFault(view, member) ?? [],
    ),
    ...mixedFaults(view),
    ...pathOnlyFaults(view),
    ...twiceFaults(view),
  ];
}

/** Docker Hub where the file's reader does not look for it. */
function hubFault(view: AuthView, member: JsonMember): Fault | undefined {
  const { key } = member;
  const { reader } = view.part;
  const host = hostOfKey(key).toLowerCase();
  if (key === HUB_KEY || !HUB_HOSTS.includes(host)) return undefined;
  const path = key
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
    .slice(host.length)
    .replace(/^\/v[12]\/?$/, "")
    .replace(/^\/+|\/+$/g, "");
  const knows =
    reader === "docker" || reader === "apptainer"
      ? []
      : reader === "podman"
        ? HUB_HOSTS.slice(0, 3)
        : HUB_HOSTS.slice(0, 2);
  if (knows.includes(host)) return undefined;
  const right =
    reader === "docker" || reader === "apptainer" ? HUB_KEY : path === "" ? "docker.io" : `docker.io/${path}`;
  const program = reader === "kubelet" ? "the kubelet" : reader;
  const others =
    reader === "docker" && path === "" ? "" : path === "" ? "" : `; ${program} knows no paths of Hub`;
  return {
    code: "WD001",
    line: lineAt(view.part, member.start),
    message: `${key}: ${program} never looks under this key for Docker Hub${reader === "podman" || reader === "kubelet" ? "" : others}`,
    right,
    ...(path !== "" && right === HUB_KEY ? {} : renameMend(view, member, right)),
  };
}

/** Keys that are compared with names they can never be. */
function shapeFault(view: AuthView, member: JsonMember): Fault | undefined {
  const { key } = member;
  const { reader } = view.part;
  const isUrl = /^https?:\/\//i.test(key);
  const bare = key.replace(/^https?:\/\//i, "");
  const host = bare.split("/")[0] ?? "";
  const isTagged = /^[^/]+\/.*[:@]/.test(bare);
  const isApi = /^[^/]+\/v[12]$/.test(bare) && reader === "kubelet";
  const isSlashed = reader === "podman" && !isUrl && bare.endsWith("/");
  const isScheme = reader === "podman" && isUrl && /^[^/]+\/(?!v[12]\/?$)./.test(bare);
  if (key === HUB_KEY || !(isTagged || isApi || isSlashed || isScheme)) return undefined;
  const right = isTagged ? bare.replace(/[:@][^/]*$/, "") : isApi ? host : bare.replace(/\/+$/, "");
  const why = isTagged
    ? "a tag or digest in a key fits no image"
    : isApi
      ? "without a slash at the end the kubelet takes v2 for a part of the image's name"
      : isSlashed
        ? "podman finds no key that ends in a slash"
        : "podman cuts path and scheme off a URL";
  return {
    code: "WD013",
    line: lineAt(view.part, member.start),
    message: `${key}: ${why}`,
    right,
    // A URL counts for its whole host now, and would count for less.
    ...(isScheme ? {} : renameMend(view, member, right)),
  };
}

/** To the kubelet `host/team` is the beginning of `host/team-b/app` too. */
function prefixFault(view: AuthView, member: JsonMember): Fault | undefined {
  const bare = member.key.replace(/^https?:\/\//i, "");
  if (view.part.reader !== "kubelet" || !/^[^/]+\/[^/]+$/.test(bare)) return undefined;
  const hasRival = view.members.some(
    ({ key }) => key !== member.key && key.replace(/^https?:\/\//i, "").startsWith(bare),
  );
  return {
    code: "WD017",
    line: lineAt(view.part, member.start),
    message: `${member.key}: the kubelet sends this login for ${bare}-other/… as well${hasRival ? ", and another entry begins the same" : ""}`,
    right: `${bare}/ for a project; as it is for one repository of that very name`,
  };
}

/** `index.docker.io` is looked at only where nothing under `docker.io` fits. */
function mixedFaults(view: AuthView): readonly Fault[] {
  if (view.part.reader !== "kubelet") return [];
  const old = view.members.find(({ key }) => hostOfKey(key).toLowerCase() === "index.docker.io");
  const part = view.members.find(({ key }) => /^docker\.io\/./i.test(key.replace(/^https?:\/\//i, "")));
  const whole = view.members.some(({ key }) => /^(?:https?:\/\/)?docker\.io\/?$/i.test(key));
  if (old === undefined || part === undefined || whole) return [];
  return [
    {
      code: "WD029",
      line: lineAt(view.part, old.start),
      message: `${old.key}: the kubelet does not look here for images that ${part.key} fits`,
      right: "docker.io",
      ...renameMend(view, old, "docker.io"),
    },
  ];
}

/** docker cuts the path off and takes what comes first, in no order. */
function pathOnlyFaults(view: AuthView): readonly Fault[] {
  const { part, members } = view;
  if (part.reader !== "docker" && part.reader !== "apptainer") return [];
  const groups = Map.groupBy(members, ({ key }) => hostOfKey(key).toLowerCase());
  return [...groups].flatMap(([host, group]): readonly Fault[] => {
    const isPath = ({ key }: JsonMember): boolean =>
      !/^[a-z][a-z0-9+.-]*:\/\//i.test(key) && key.includes("/");
    const [first] = group;
    if (first === undefined || HUB_HOSTS.includes(host) || !group.every(isPath)) return [];
    const others = group.map(({ key }) => key).join(", ");
    const message =
      group.length === 1
        ? `${others}: docker cuts the path off and sends this login to all of ${host}`
        : `${others}: docker cuts the paths off and takes one of them at random for all of ${host}`;
    return [
      {
        code: "WD002",
        line: lineAt(part, first.start),
        message,
        right: `an entry ${host} with the login that docker is to use`,
      },
    ];
  });
}

function twiceFaults(view: AuthView): readonly Fault[] {
  const isWhole = (key: string): boolean => /^(?:https?:\/\/)?[^/]+(?:\/(?:v[12]\/?)?)?$/i.test(key);
  const groups = Map.groupBy(
    view.members.filter(({ key }) => isWhole(key)),
    ({ key }) => hostOfKey(key).toLowerCase(),
  );
  return [...groups].flatMap(([host, [first, ...others]]): readonly Fault[] => {
    const other = others.find(({ value }) => first !== undefined && !isSameLogin(first.value, value));
    if (first === undefined || other === undefined) return [];
    return [
      {
        code: "WD016",
        line: lineAt(view.part, other.start),
        message: `${first.key} and ${other.key} are the same registry with different logins`,
        right: `one entry, ${host}`,
      },
    ];
  });
}

/** The entry moves to another key; where that one is there with another login, a person decides. */
function renameMend(
  view: AuthView,
  member: JsonMember,
  right: string,
): Pick<Fault, "mend"> | Record<string, never> {
  const { part, section } = view;
  const node: JsonNode = section.length === 0 ? view.root : (fieldOf(view.root, "auths")?.value ?? view.root);
  const there = memberOf(node, right)?.value;
  const isPlain =
    member.value.kind === "object" && member.value.members.every(({ value }) => value.kind === "string");
  if (!isPlain || (there !== undefined && !isSameLogin(there, member.value))) return {};
  const [first, ...rest] = [...section, right];
  const [oldFirst, ...oldRest] = [...section, member.key];
  return {
    mend: {
      says:
        there === undefined
          ? `the key ${member.key} becomes ${right}`
          : `${member.key} goes: ${right} holds the same login`,
      apply: () => {
        const fields = JSON.parse(part.text.slice(member.value.start, member.value.end)) as Record<
          string,
          string
        >;
        const added =
          there === undefined ? setJson(part.text, [first ?? right, ...rest], fields, part.path) : part.text;
        return removeJson(added, [oldFirst ?? member.key, ...oldRest], part.path);
      },
    },
  };
}

function isSameLogin(a: JsonNode, b: JsonNode): boolean {
  return differences(parseEntry(a), parseEntry(b)).length === 0;
}
