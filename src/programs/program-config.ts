import { isAbsolute, join } from "node:path";
import { AppError } from "#core";
import { type Login, readConfigIfAny, type Surroundings, userConfigFolder, type WharfConfig } from "#logins";
import { isThere } from "#system";

/**
 * Where the programs of this room find wharf.yaml: WHARF_CONFIG, which must be absolute, else the user's configuration folder. Never
 * the current folder: a docker that runs in a foreign checkout must not take logins, or commands, from it. Throws CONFIG_INVALID.
 */
export function programConfigPath(surroundings: Surroundings): string {
  const named = surroundings.env["WHARF_CONFIG"];
  if (named === undefined || named === "") return join(userConfigFolder(surroundings), "wharf.yaml");
  if (isAbsolute(named)) return named;
  throw new AppError("CONFIG_INVALID", "WHARF_CONFIG is no absolute path", {
    hint: "programs that others call have no folder of their own: write the whole path",
  });
}

/**
 * That wharf.yaml, parsed; undefined where the user has none. Throws CONFIG_NOT_FOUND where WHARF_CONFIG names a file that is not
 * there, and what `parseConfig` throws.
 */
export async function readProgramConfig(surroundings: Surroundings): Promise<WharfConfig | undefined> {
  const path = programConfigPath(surroundings);
  const isNamed = (surroundings.env["WHARF_CONFIG"] ?? "") !== "";
  if (!isNamed && !(await isThere(path))) return undefined;
  return await readConfigIfAny(surroundings, path);
}

/**
 * The logins that are for all of a registry, by registry. Where deliveries split several of one registry, the one that a docker delivery
 * with `helper: wharf` on this machine names; several of them stay several, and are nobody's answer.
 */
export function hostLogins(config: WharfConfig): ReadonlyMap<string, readonly Login[]> {
  const wholes = [...config.logins.values()].filter((login) => login.path === undefined);
  const named = new Set(
    config.deliveries
      .filter(
        ({ to, at, options }) => to === "docker" && at.kind === "local" && options["helper"] === "wharf",
      )
      .flatMap(({ logins }) => logins ?? []),
  );
  const byRegistry = new Map<string, readonly Login[]>();
  for (const [registry, group] of Map.groupBy(wholes, (login) => login.registry)) {
    const chosen = group.filter((login) => named.has(login.name));
    byRegistry.set(registry, group.length > 1 && chosen.length > 0 ? chosen : group);
  }
  return byRegistry;
}
