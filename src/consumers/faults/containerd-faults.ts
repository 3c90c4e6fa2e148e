import { isAppError } from "#core";
import { parseTomlText, type TomlTable, type TomlValue, tomlAt } from "../toml-text.ts";
import type { Fault, Part, RuleFamily } from "./contract.ts";

const V2 = ["plugins", "io.containerd.grpc.v1.cri", "registry"];
const V3 = ["plugins", "io.containerd.cri.v1.images", "registry"];
const HUB_HOST = "registry-1.docker.io";
const HUB_KEYS = ["docker.io", "index.docker.io", "hub.docker.com", "registry.hub.docker.com"];
const SECTIONS = ["configs", "auths", "mirrors"] as const;

/** containerd's config.toml and hosts.toml. */
export const containerdFiles: RuleFamily = {
  kinds: ["containerd", "hosts-toml", "containerd-template"],
  find(part) {
    if (part.kind === "containerd-template") return templateFaults(part);
    const root = parse(part);
    if (!(root instanceof Map)) return [root as Fault];
    return part.kind === "hosts-toml" ? hostsFaults(part, root) : configFaults(part, root);
  },
};

function parse(part: Part): TomlTable | Fault {
  try {
    return parseTomlText(part.text, "");
  } catch (cause) {
    if (!isAppError(cause, "FILE_INVALID")) throw cause;
    const line = Number(/^:(\d+):/.exec(cause.message)?.[1] ?? 1);
    return { code: "WD014", line: part.line + line - 1, message: "this is not TOML", right: "TOML 1.0" };
  }
}

function configFaults(part: Part, root: TomlTable): readonly Fault[] {
  const version = numberOf(root.get("version")) ?? 1;
  const right = version >= 3 ? V3 : V2;
  const wrong = version >= 3 ? V2 : V3;
  const faults: Fault[] = [];
  const strayed = tomlAt(root, wrong);
  if (isTable(strayed) && strayed.size > 0)
    faults.push({
      code: "WD062",
      line: lineOf(part, wrong[1] ?? ""),
      message: `version = ${version} does not read [plugins."${wrong[1]}".registry]`,
      right: `[plugins."${right[1]}".registry]`,
    });
  for (const path of [V2, V3]) {
    const registry = tomlAt(root, path);
    if (!isTable(registry)) continue;
    if (
      isTable(registry.get("mirrors")) &&
      registry.get("config_path") !== undefined &&
      registry.get("config_path") !== ""
    )
      faults.push({
        code: "WD061",
        line: lineOf(part, "config_path"),
        message: "mirrors and config_path are both set: containerd does not start its CRI plugin",
        right: "config_path alone, with a hosts.toml for each mirror",
      });
    for (const section of SECTIONS) faults.push(...keyFaults(part, section, registry.get(section)));
  }
  return faults;
}

function keyFaults(
  part: Part,
  section: (typeof SECTIONS)[number],
  table: TomlValue | undefined,
): readonly Fault[] {
  // Mirrors are by the name in the image, so docker.io is right there.
  if (!isTable(table) || section === "mirrors") return [];
  return [...table].flatMap(([key, value]): readonly Fault[] => {
    if (!isTable(value) || (section === "configs" && !isTable(value.get("auth")))) return [];
    const line = lineOf(part, key);
    const host = key.replace(/^https?:\/\//, "").split("/")[0] ?? key;
    if (HUB_KEYS.includes(host) && !table.has(HUB_HOST))
      return [
        {
          code: "WD060",
          line,
          message: `${section}."${key}": containerd asks ${HUB_HOST} for Docker Hub, and finds no login under this key`,
          right: `${section}."${HUB_HOST}"`,
          ...renameMend(part, section, key),
        },
      ];
    if (section === "configs" && key !== host)
      return [
        {
          code: "WD063",
          line,
          message: `configs."${key}": the key is compared with host[:port]`,
          right: `configs."${host}"`,
        },
      ];
    return [];
  });
}

/** Only where the key stands in headers and nowhere else, so that all of it moves. */
function renameMend(part: Part, section: string, key: string): Pick<Fault, "mend"> {
  const quoted = [`${section}."${key}"`, `${section}.'${key}'`].filter((text) => part.text.includes(text));
  if (!part.isWhole || quoted.length === 0) return {};
  return {
    mend: {
      says: `${section}."${key}" becomes ${section}."${HUB_HOST}"`,
      apply: () => quoted.reduce((text, old) => text.replaceAll(old, `${section}."${HUB_HOST}"`), part.text),
    },
  };
}

/** k3s' and RKE2's own rule (pkg/agent/containerd: warnMissingRegistryAuth). */
function templateFaults(part: Part): readonly Fault[] {
  if (/\{\{-?\s*template\s+"base"/.test(part.text) || part.text.includes(".PrivateRegistryConfig")) return [];
  return [
    {
      code: "WD068",
      line: part.line,
      message:
        "this template has no part for registries: every login of registries.yaml is dropped in silence",
      right: '{{ template "base" . }}, and your own lines below it',
    },
  ];
}

function hostsFaults(part: Part, root: TomlTable): readonly Fault[] {
  const hosts = root.get("host");
  const tables = [root, ...(isTable(hosts) ? [...hosts.values()].filter(isTable) : [])];
  return tables.flatMap((table) =>
    ["username", "password", "auth", "identitytoken"]
      .filter((name) => table.get(name) !== undefined)
      .slice(0, 1)
      .map(
        (name): Fault => ({
          code: "WD067",
          line: lineOf(part, name),
          message: `${name}: hosts.toml has no such field, and containerd passes it over`,
          right: `the login in config.toml under configs."HOST".auth, or from the kubelet`,
        }),
      ),
  );
}

function isTable(value: TomlValue | undefined): value is TomlTable {
  return value instanceof Map;
}

function numberOf(value: TomlValue | undefined): number | undefined {
  return typeof value === "object" && "source" in value ? Number(value.source) : undefined;
}

/** The first line that names it: a table's own place is not kept by the parser. */
function lineOf(part: Part, word: string): number {
  const index = part.text.split("\n").findIndex((line) => !/^\s*#/.test(line) && line.includes(word));
  return part.line + Math.max(index, 0);
}
