import { isAppError } from "#core";
import { parseRegistries, type Registries, type RegistryConfig } from "../k3s/registries-yaml.ts";
import { parseYaml, removeYaml, setYaml, type YamlValue, yamlValue } from "../yaml-edit.ts";
import type { Fault, Part, RuleFamily } from "./contract.ts";

const HUB = ["docker.io", "registry-1.docker.io"] as const;
const TEXT_FIELDS = ["username", "password", "auth", "identity_token"];

/** k3s' and RKE2's registries.yaml. */
export const registriesFiles: RuleFamily = {
  kinds: ["registries"],
  find(part) {
    let registries: Registries;
    let raw: unknown;
    try {
      registries = parseRegistries(part.text, "");
      raw = yamlValue(parseYaml(part.text, ""), "");
    } catch (cause) {
      if (!isAppError(cause, "FILE_INVALID")) throw cause;
      const line = Number(/^:(\d+):/.exec(cause.message)?.[1] ?? 1);
      return [
        {
          code: "WD014",
          line: part.line + line - 1,
          message: "this is not one YAML mapping",
          right: "one mapping with mirrors and configs",
        },
      ];
    }
    if (registries.mistyped !== undefined)
      return [
        {
          code: "WD014",
          line: part.line,
          message: `${registries.mistyped} has another type than k3s decodes: the agent does not start`,
          right: "mappings of texts",
        },
      ];
    return [...registries.configs].flatMap(([key, config]) => [
      ...keyFaults(part, key, config),
      ...hubFaults(part, { key, config, registries, raw }),
      ...tokenFaults(part, key, raw),
      ...keyFileFaults(part, key, config),
    ]);
  },
};

function keyFaults(part: Part, key: string, config: RegistryConfig): readonly Fault[] {
  const host = key.replace(/^https?:\/\//, "").split("/")[0] ?? key;
  if (host === key || config.auth === undefined) return [];
  return [
    {
      code: "WD063",
      line: lineOf(part, key),
      message: `${key}: the key is the endpoint's host[:port]; a URL or a path is never found`,
      right: host,
    },
  ];
}

function hubFaults(
  part: Part,
  hub: {
    readonly key: string;
    readonly config: RegistryConfig;
    readonly registries: Registries;
    readonly raw: unknown;
  },
): readonly Fault[] {
  const { key, config, registries, raw } = hub;
  const other = HUB.find((name) => name !== key);
  if (!HUB.some((name) => name === key) || config.auth === undefined || other === undefined) return [];
  if (registries.configs.get(other)?.auth !== undefined) return [];
  const auth = at(raw, ["configs", key, "auth"]);
  const value = isTexts(auth) ? auth : undefined;
  return [
    {
      code: "WD064",
      line: lineOf(part, key),
      message:
        key === "docker.io"
          ? "docker.io alone: k3s and RKE2 before 1.32.7 and 1.33.3 look under registry-1.docker.io"
          : "registry-1.docker.io alone: newer k3s and RKE2 write docker.io",
      right: "the same login under docker.io and registry-1.docker.io",
      ...(part.isWhole && value !== undefined
        ? {
            mend: {
              says: `the login of ${key} stands under ${other} too`,
              apply: () => setYaml(part.text, ["configs", other, "auth"], value, part.path),
            },
          }
        : {}),
    },
  ];
}

function tokenFaults(part: Part, key: string, raw: unknown): readonly Fault[] {
  const auth = at(raw, ["configs", key, "auth"]);
  const token = at(auth, ["identitytoken"]);
  if (typeof token !== "string") return [];
  return [
    {
      code: "WD065",
      line: lineOf(part, "identitytoken"),
      message: `${key}: identitytoken is passed over`,
      right: "identity_token",
      ...(part.isWhole
        ? {
            mend: {
              says: `${key}: identitytoken becomes identity_token`,
              apply: () =>
                removeYaml(
                  setYaml(part.text, ["configs", key, "auth", "identity_token"], token, part.path),
                  ["configs", key, "auth", "identitytoken"],
                  part.path,
                ),
            },
          }
        : {}),
    },
  ];
}

function keyFileFaults(part: Part, key: string, config: RegistryConfig): readonly Fault[] {
  const password = config.auth?.password.reveal() ?? "";
  if (!password.trim().includes("\n")) return [];
  return [
    {
      code: "WD066",
      line: lineOf(part, key),
      message: `${key}: the password has line breaks, at which containerd's file breaks`,
      right: "the JSON on one line, or auth: base64 of user:secret",
    },
  ];
}

function at(value: unknown, path: readonly string[]): unknown {
  let node: unknown = value;
  for (const key of path)
    node = typeof node === "object" && node !== null ? (node as Record<string, unknown>)[key] : undefined;
  return node;
}

function isTexts(value: unknown): value is Readonly<Record<string, YamlValue>> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.entries(value).every(([name, text]) => TEXT_FIELDS.includes(name) && typeof text === "string")
  );
}

function lineOf(part: Part, word: string): number {
  const lines = part.text.split("\n");
  const start = Math.max(
    lines.findIndex((line) => line.startsWith("configs:")),
    0,
  );
  const index = lines.findIndex((line, at) => at >= start && !/^\s*#/.test(line) && line.includes(word));
  return part.line + Math.max(index, 0);
}
