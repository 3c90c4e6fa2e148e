import { isAppError } from "#core";
import type { MatchAnswer, Target } from "../contract.ts";
import { parseImageName } from "../image-name.ts";
import { loginOf } from "../registry-auth.ts";
import type { TomlTable, TomlValue } from "../toml-text.ts";
import {
  type ContainerdFile,
  parseContainerdFile,
  pluginTable,
  type RegistryTable,
  readRegistryTable,
  tableOf,
} from "./config.ts";
import { importsFile } from "./imports.ts";
import { containerdFiles, mainFile, writtenFile } from "./paths.ts";

const OLD_PLUGIN = "io.containerd.grpc.v1.cri";
const IMAGES_PLUGIN = "io.containerd.cri.v1.images";

/** Hub is asked under the name that it is served from. */
export const HUB_HOST = "registry-1.docker.io";

/** One file, with the table that containerd makes of it. */
interface Loaded {
  readonly path: string;
  readonly file: ContainerdFile;
  readonly plugin: TomlTable | undefined;
}

/**
 * The entry that containerd sends when the kubelet gives it no login: by the host that is contacted, exactly. Of the files that the
 * main one imports only that of the delivery is looked at.
 */
export function matchContainerd(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const searched = containerdFiles(target);
  let loaded: readonly Loaded[];
  try {
    loaded = load(files, target);
  } catch (fault) {
    if (!isAppError(fault, "FILE_INVALID")) throw fault;
    const file = searched.find((path) => fault.message.startsWith(path)) ?? mainFile(target);
    return { kind: "broken", file, why: `${fault.message}: containerd does not start` };
  }
  const [main] = loaded;
  if (main === undefined) return { kind: "anonymous", why: `there is no ${mainFile(target)}`, searched };
  const registry = readRegistryTable(mergedPlugin(loaded, target));
  const fault = faultOf(loaded, registry, target);
  if (fault !== undefined) return { kind: "broken", ...fault };
  if (loaded.some(({ file }) => file.isDisabled))
    return { kind: "anonymous", why: "disabled_plugins takes away what pulls for Kubernetes", searched };
  const host = hostOf(image);
  const auth = registry.auths.get(host);
  if (auth === undefined || auth === "mistyped")
    return { kind: "anonymous", why: whyNone(host, loaded, target), searched };
  const login = loginOf(auth);
  const holder = loaded.findLast(({ plugin }) => readRegistryTable(plugin).auths.has(host)) ?? main;
  if (login === "broken") {
    const why = `the auth of ${host} cannot be decoded, so every pull from it fails`;
    return { kind: "broken", file: holder.path, why };
  }
  if (login === undefined) return { kind: "anonymous", why: `the auth of ${host} is empty`, searched };
  const key = registry.legacy.has(host) ? `auths ${host}` : host;
  return {
    kind: "login",
    match: { file: holder.path, key, ...login, shadows: notes(loaded, registry, image) },
  };
}

function isImported({ path, file }: Loaded, other: string, line: Line): boolean {
  return importsFile({ path, imports: file.imports }, other, line);
}

function hostOf(image: string): string {
  const { registry } = parseImageName(image);
  return registry === "docker.io" ? HUB_HOST : registry;
}

function load(files: ReadonlyMap<string, Uint8Array>, target: Target): readonly Loaded[] {
  const loaded: Loaded[] = [];
  for (const path of containerdFiles(target)) {
    const bytes = files.get(path);
    if (bytes === undefined) {
      if (path === mainFile(target)) return [];
      continue;
    }
    const [main] = loaded;
    if (main !== undefined && !isImported(main, path, lineOf(loaded, target))) continue;
    const file = parseContainerdFile(bytes, path);
    loaded.push({ path, file, plugin: effectivePlugin(file, target) });
  }
  return loaded;
}

interface Line {
  readonly major: number;
  readonly minor: number;
}

/** containerd's line there: 1, or 2 with its minor version; told by the main file where the program was not asked. */
function lineOf(loaded: readonly Loaded[] | undefined, target: Target): Line {
  const parts = /^(\d+)\.(\d+)/.exec(target.version ?? "");
  if (parts !== null) return { major: Number(parts[1]), minor: Number(parts[2]) };
  return { major: (loaded?.[0]?.file.version ?? 3) >= 3 ? 2 : 1, minor: Number.POSITIVE_INFINITY };
}

/** The CRI plugin's table of one file, with `registry` where that file's version and containerd's put it. */
function effectivePlugin(file: ContainerdFile, target: Target): TomlTable | undefined {
  const { major, minor } = lineOf([{ path: "", file, plugin: undefined }], target);
  const short = file.version <= 1 ? pluginTable(file, "cri") : undefined;
  // containerd 1 reads by version 1's names or by version 2's, and knows no others.
  if (major < 2) return file.version <= 1 ? short : pluginTable(file, OLD_PLUGIN);
  const old = short ?? pluginTable(file, OLD_PLUGIN);
  const images = pluginTable(file, IMAGES_PLUGIN);
  // Older files are migrated: what they say of registries takes the place of what the new table says.
  const isMigrated = file.version <= 2 || (file.version === 3 && minor >= 3);
  const registry = isMigrated ? old?.get("registry") : undefined;
  return registry === undefined ? images : new Map([...(images ?? []), ["registry", registry]]);
}

/** containerd 1 takes the last file's table whole; containerd 2 puts one table over the other, name by name. */
function mergedPlugin(loaded: readonly Loaded[], target: Target): TomlTable | undefined {
  const tables = loaded.flatMap(({ plugin }) => plugin ?? []);
  if (lineOf(loaded, target).major < 2) return tables.at(-1);
  return tables.reduce<TomlTable | undefined>(
    (merged, table) => (merged === undefined ? table : overlay(merged, table)),
    undefined,
  );
}

function overlay(below: TomlTable, above: TomlTable): TomlTable {
  const merged = new Map<string, TomlValue>(below);
  for (const [key, value] of above) {
    const [old, fresh] = [tableOf(merged.get(key)), tableOf(value)];
    if (old !== undefined && fresh !== undefined) merged.set(key, overlay(old, fresh));
    // An empty value does not take a value's place.
    else if (value !== "" || !merged.has(key)) merged.set(key, value);
  }
  return merged;
}

function faultOf(
  loaded: readonly Loaded[],
  registry: RegistryTable,
  target: Target,
): { readonly file: string; readonly why: string } | undefined {
  const { major, minor } = lineOf(loaded, target);
  const [main, dropIn] = loaded;
  if (main === undefined) return undefined;
  for (const { path, file } of loaded) {
    if (file.fault !== undefined) return { file: path, why: `${file.fault}: containerd does not start` };
    if (major >= 2 && file.version > (minor < 3 ? 3 : 4))
      return { file: path, why: `version ${file.version} is too new: containerd does not start` };
    const plugins = [...(tableOf(file.table.get("plugins"))?.keys() ?? [])];
    if (major < 2 && file.version >= 2 && plugins.some((name) => name.split(".").length < 4))
      return { file: path, why: "a plugin's name is not a full one: containerd does not start" };
  }
  if (dropIn !== undefined && dropIn.file.version > main.file.version && minor < 4)
    return {
      file: dropIn.path,
      why: `its version ${dropIn.file.version} is higher than version ${main.file.version} of ${main.path}, which containerd before 2.4 does not take`,
    };
  const path = loaded.at(-1)?.path ?? main.path;
  if ([...registry.auths.values()].includes("mistyped"))
    return {
      file: path,
      why: "an auth has a field that is no text, so the plugin that pulls does not start",
    };
  if (registry.mirrors.size > 0 && registry.configPath !== "")
    return { file: path, why: "mirrors and config_path together: the plugin that pulls does not start" };
  if (major < 2 && registry.withTls.size > 0 && registry.configPath !== "")
    return { file: path, why: "configs.tls and config_path together: the plugin that pulls does not start" };
  return undefined;
}

function whyNone(host: string, loaded: readonly Loaded[], target: Target): string {
  const [main] = loaded;
  const written = writtenFile(target);
  const line = lineOf(loaded, target);
  if (main !== undefined && written !== main.path && !isImported(main, written, line))
    return `${main.path} does not import ${written}: add imports = ["${written}"] at its top`;
  if (line.major < 2 && main !== undefined && main.file.version > 2)
    return `containerd ${target.version ?? ""} knows version 2 of its configuration, and this is version ${main.file.version}`;
  return `no auth under registry.configs for ${host}`;
}

function notes(loaded: readonly Loaded[], registry: RegistryTable, image: string): readonly string[] {
  const { registry: name } = parseImageName(image);
  const endpoints = registry.mirrors.get(name) ?? registry.mirrors.get("*") ?? [];
  const [main] = loaded;
  return [
    ...endpoints.map((endpoint) => `mirrors: ${endpoint} is asked first, with the login of its own host`),
    ...(main?.file.imports ?? []).map(
      (pattern) => `${main?.path ?? ""} imports ${pattern}, which may say otherwise and was not looked into`,
    ),
  ];
}
