import type { Target } from "../contract.ts";

export type Variant = "apptainer" | "singularity";

/** Which of the two programs: the option `program`, else what the version says, else Apptainer. */
export function variantOf(target: Target): Variant {
  const program = target.options?.["program"];
  if (program === "singularity" || program === "apptainer") return program;
  // SingularityCE and Apptainer parted at 3.8 and 1.0: a version from 3 on is SingularityCE's.
  const version = target.version ?? "";
  return /singularity/i.test(version) || Number(/^v?(\d+)\./.exec(version)?.[1] ?? 0) >= 3
    ? "singularity"
    : "apptainer";
}

/** The program's own file. An existing one, even `{}`, hides docker's. */
export function apptainerFile(target: Target): string {
  const { env, home } = target;
  const isCe = variantOf(target) === "singularity";
  const named = env[isCe ? "SINGULARITY_AUTHFILE" : "APPTAINER_AUTH_FILE"] ?? "";
  if (named !== "") return named;
  const folder = env[isCe ? "SINGULARITY_CONFIGDIR" : "APPTAINER_CONFIGDIR"] ?? "";
  return `${folder === "" ? `${home}/${isCe ? ".singularity" : ".apptainer"}` : folder}/docker-config.json`;
}

/** Docker's file, which Apptainer reads when its own is not there; SingularityCE never does. undefined: there is no such fallback. */
export function fallbackFile(target: Target): string | undefined {
  if (variantOf(target) === "singularity" || (target.env["APPTAINER_AUTH_FILE"] ?? "") !== "")
    return undefined;
  const folder = target.env["APPTAINER_CONFIGDIR"] ?? "";
  return folder === "" ? `${target.home}/.docker/config.json` : `${folder}/config.json`;
}

/** A pair of variables that overrules every file, in the program's order: one of the two set is enough. */
export function environmentPair(
  target: Target,
): { readonly prefix: string; readonly username: string; readonly password: string } | undefined {
  const prefixes =
    variantOf(target) === "singularity"
      ? ["SINGULARITY_DOCKER", "DOCKER"]
      : ["APPTAINER_DOCKER", "DOCKER", "SINGULARITY_DOCKER"];
  for (const prefix of prefixes) {
    const username = (target.env[`${prefix}_USERNAME`] ?? "").trim();
    const password = (target.env[`${prefix}_PASSWORD`] ?? "").trim();
    if (username !== "" || password !== "") return { prefix, username, password };
  }
  return undefined;
}
