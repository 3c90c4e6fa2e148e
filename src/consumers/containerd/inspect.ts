import type { FileDocument, Warning } from "../contract.ts";
import {
  type ContainerdFile,
  parseContainerdText,
  pluginName,
  pluginTable,
  type RegistryTable,
  readRegistryTable,
} from "./config.ts";
import type { Wanted } from "./config-edit.ts";
import { HOSTS_FOLDER, isDropIn } from "./paths.ts";

/** What in the file keeps logins from being used, or containerd from starting. */
export function inspectConfig(text: string, document: FileDocument): readonly Warning[] {
  const file = parseContainerdText(text, document.path);
  const registry = readRegistryTable(pluginTable(file, pluginName(file.version)));
  return [
    ...faults(file, registry, document.path),
    ...document.entries.flatMap((entry): readonly Warning[] => {
      const name = entry.key === "registry-1.docker.io" ? "docker.io" : entry.key;
      const endpoints = registry.mirrors.get(name) ?? registry.mirrors.get("*") ?? [];
      return [
        ...endpoints.map(
          (endpoint): Warning => ({
            kind: "shadowed",
            login: entry.login,
            message: `${document.path}: mirrors sends images of ${name} to ${endpoint} first, with the login of that host`,
            hint: "give the mirror's host a login of its own if it needs one",
          }),
        ),
        ...(registry.legacy.has(entry.key)
          ? [
              {
                kind: "shadowed" as const,
                login: entry.login,
                message: `${document.path}: the old table registry.auths has a login for ${entry.key}, which is used instead`,
                hint: "take it out",
              },
            ]
          : []),
      ];
    }),
    ...caWarnings(file, registry, document),
  ];
}

function faults(file: ContainerdFile, registry: RegistryTable, path: string): readonly Warning[] {
  const warnings: Warning[] = [];
  const danger = (message: string, hint: string): void => {
    warnings.push({ kind: "danger", message: `${path}: ${message}`, hint });
  };
  if (file.fault !== undefined) danger(`${file.fault}, so containerd does not start`, "mend it");
  if (file.isDisabled)
    danger(
      "disabled_plugins takes away what pulls for Kubernetes, so that these logins are of no use",
      "take cri out of it where pods run, or this delivery out of wharf.yaml",
    );
  if ([...registry.auths.values()].includes("mistyped"))
    danger("an auth has a field that is no text, so containerd reads none of them", "put it in quotes");
  if (registry.mirrors.size > 0 && registry.configPath !== "")
    danger(
      "mirrors and config_path stand together, so the plugin that pulls does not start",
      "move the mirrors to hosts.toml files, and take mirrors out",
    );
  if (registry.withTls.size > 0 && registry.configPath !== "" && file.version <= 2)
    danger(
      "configs.tls and config_path stand together: containerd 1 does not start the plugin that pulls",
      "move what tls says to hosts.toml files, and take it out",
    );
  const old = file.version >= 3 ? pluginTable(file, pluginName(2))?.get("registry") : undefined;
  if (old !== undefined)
    danger(
      `the plugin of version 2, ${pluginName(2)}, has a registry table too: containerd 2.3 and newer take that one, older ones do not read it`,
      `move it to ${pluginName(3)}`,
    );
  if (file.version <= 2 && file.imports.length > 0 && !isDropIn(path))
    warnings.push({
      kind: "format",
      message: `${path} imports ${file.imports.join(", ")}, which is not looked into: in containerd 1 a file there that has the plugin's table takes the place of all that stands here`,
    });
  return warnings;
}

function caWarnings(
  file: ContainerdFile,
  registry: RegistryTable,
  document: FileDocument,
): readonly Warning[] {
  return document.entries
    .filter((entry) => (JSON.parse(entry.content.reveal()) as Wanted).caFile !== undefined)
    .flatMap((entry): readonly Warning[] => {
      const isElsewhere =
        registry.configPath !== "" && !registry.configPath.split(":").includes(HOSTS_FOLDER);
      const isUnread = file.version >= 3 && registry.configPath === "" && registry.mirrors.size > 0;
      if (!isElsewhere && !isUnread) return [];
      const why = isElsewhere
        ? `config_path names ${registry.configPath}, so ${HOSTS_FOLDER} is not looked into`
        : `with mirrors ${HOSTS_FOLDER} is not looked into`;
      return [
        {
          kind: "danger",
          login: entry.login,
          message: `${document.path}: ${why}, and containerd does not trust the CA of ${entry.key}`,
          hint: isElsewhere
            ? `add :${HOSTS_FOLDER} to config_path`
            : "move the mirrors to hosts.toml files, and take mirrors out",
        },
      ];
    });
}
