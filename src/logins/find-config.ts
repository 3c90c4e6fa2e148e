import { basename, dirname, extname, isAbsolute, join, resolve } from "node:path";
import { AppError } from "#core";
import { currentUserId, fileOwner, homeFolder } from "#system";
import type { Surroundings } from "./contract.ts";

export const CONFIG_NAME = "wharf.yaml";

/** The user's own folder for keys, trust and a wharf.yaml that is found from everywhere: `$XDG_CONFIG_HOME/wharf` or `~/.config/wharf`. */
export function userConfigFolder(surroundings: Surroundings): string {
  const xdg = surroundings.env["XDG_CONFIG_HOME"];
  // The XDG specification: a relative path there is to be ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, "wharf");
  return join(homeFolder(surroundings.env), ".config", "wharf");
}

/** Where a wharf.yaml was found, or where the first one would be made. */
export interface ConfigLocation {
  /** Absolute. */
  readonly path: string;
  readonly exists: boolean;
  /** A wharf.yaml of the current folder that was passed over because it, or the folder, belongs to somebody else. */
  readonly passedOver?: string;
}

/**
 * `-c FILE`, then WHARF_CONFIG, then the current folder (only where folder and file are the caller's own: somebody else must
 * not decide where secrets go), then the user's configuration folder, where a new one is made.
 * Throws CONFIG_NOT_FOUND where WHARF_CONFIG or `-c` name a file that is not there and `forWriting` is not said.
 */
export async function findConfig(
  surroundings: Surroundings,
  explicit: string | undefined,
  forWriting = false,
): Promise<ConfigLocation> {
  const fromEnvironment = surroundings.env["WHARF_CONFIG"];
  const named = explicit ?? (fromEnvironment === "" ? undefined : fromEnvironment);
  if (named !== undefined) {
    const path = resolve(surroundings.cwd, named);
    const exists = (await fileOwner(path)) !== undefined;
    if (!exists && !forWriting)
      throw new AppError("CONFIG_NOT_FOUND", `there is no file ${path}`, {
        hint:
          explicit === undefined
            ? "WHARF_CONFIG names it; make it there or unset WHARF_CONFIG"
            : "check the path behind -c, or make the file with `wharf login REGISTRY`",
      });
    return { path, exists };
  }
  const here = join(surroundings.cwd, CONFIG_NAME);
  const caller = currentUserId();
  const owner = await fileOwner(here);
  if (owner !== undefined && owner === caller && (await fileOwner(surroundings.cwd)) === caller)
    return { path: here, exists: true };
  const own = join(userConfigFolder(surroundings), CONFIG_NAME);
  const exists = (await fileOwner(own)) !== undefined;
  return { path: own, exists, ...(owner === undefined || own === here ? {} : { passedOver: here }) };
}

/** The vault or state that belongs to a configuration: `wharf.vault` beside wharf.yaml, `site.vault` beside site.yaml. */
export function besideConfig(configPath: string, kind: "vault" | "state"): string {
  const name = basename(configPath);
  const extension = extname(name);
  const stem = extension === ".yaml" || extension === ".yml" ? name.slice(0, -extension.length) : name;
  return join(dirname(configPath), `${stem}.${kind}`);
}
