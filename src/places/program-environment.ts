/** The names as a regular expression that grep -E and JavaScript read alike: one way in, for hosts that are asked by ssh. */
export const PROGRAM_VARIABLES =
  "^(HOME|DOCKER_[A-Z_]+|REGISTRY_AUTH_FILE|XDG_(CONFIG_HOME|RUNTIME_DIR)|APPTAINER_[A-Z_]+|SINGULARITY_[A-Z_]+|ENROOT_CONFIG_PATH|CONTAINERS_[A-Z_]+|WHARF_CONFIG)=";
const READ_BY_CONSUMERS = new RegExp(PROGRAM_VARIABLES);

/** The variables that programs look for logins by; the rest of an environment is nobody's business. */
export function programEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && READ_BY_CONSUMERS.test(`${name}=`)) found[name] = value;
  return found;
}
