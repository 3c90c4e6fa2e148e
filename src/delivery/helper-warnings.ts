import { isAbsolute, join } from "node:path";
import type { Target, Warning } from "#consumers";
import type { Context } from "#core";
import { userConfigFolder } from "#logins";
import type { Place } from "#places";
import { realPath } from "#system";
import type { TargetSpec } from "./targets.ts";

/**
 * What keeps docker-credential-wharf from answering for a delivery with `helper: wharf`: on this machine it is not on PATH, or reads
 * another wharf.yaml than the one that is delivered from; at another place it needs a wharf.yaml and a vault of its own there.
 */
export async function helperWarnings(
  context: Context,
  configPath: string,
  about: { readonly spec: TargetSpec; readonly place: Place; readonly target: Target },
): Promise<readonly Warning[]> {
  const { spec, place, target } = about;
  if (spec.options["helper"] !== "wharf" || spec.consumer !== "docker") return [];
  const isPut = target.executable !== undefined;
  if (spec.at.kind !== "local")
    return [
      {
        kind: "danger",
        message: `docker at ${spec.at.text} fails at these registries unless ${isPut ? "there is" : "docker-credential-wharf is there, with"} a wharf.yaml and a vault there that the helper can open`,
        hint: `leave helper: out to deliver the logins themselves${isPut ? "" : "; bin-dir: DIR puts the helper there"}`,
      },
    ];
  const warnings: Warning[] = [];
  if (!isPut && (await place.version(context, "docker-credential-wharf")) === undefined)
    warnings.push({
      kind: "danger",
      message: "docker-credential-wharf is not on PATH, so docker fails at these registries",
      hint: 'make the link: ln -s "$(command -v wharf)" /usr/local/bin/docker-credential-wharf',
    });
  const named = target.env["WHARF_CONFIG"] ?? "";
  const read = isAbsolute(named)
    ? named
    : join(userConfigFolder({ env: { ...target.env, HOME: target.home }, cwd: "/" }), "wharf.yaml");
  if ((await realPath(read)) !== (await realPath(configPath)))
    warnings.push({
      kind: "danger",
      message: `the helper reads ${read}, and this is ${configPath}`,
      hint: `set WHARF_CONFIG=${configPath} for docker, or keep these logins in ${read}`,
    });
  return warnings;
}
