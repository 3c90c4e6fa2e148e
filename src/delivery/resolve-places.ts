import { AppError, type Context, isAppError } from "#core";
import {
  areCommandsTrusted,
  type DeliveryPlace,
  parseSshAddresses,
  type SshAddress,
  type Surroundings,
  type WharfConfig,
} from "#logins";
import { type AnsibleHost, readAnsibleHosts, readClushHosts, readSlurmHosts } from "#places";
import { isFleet } from "./targets.ts";

/** Asks the site's programs which hosts a place means. */
export interface SiteHosts {
  /** The place with its hosts; where they could not be had, with the `error` that its target then has. Other places as they are. */
  resolve(context: Context, at: DeliveryPlace): Promise<DeliveryPlace>;
}

/**
 * Hosts from Ansible's inventory and from Slurm. Ansible runs what the site's ansible.cfg and inventory name, so the wharf.yaml that points
 * at them has to be trusted first; each inventory and partition is asked for once. `base` is where ansible.cfg is looked for.
 */
export function createSiteHosts(
  surroundings: Surroundings,
  base: string,
  config: WharfConfig | undefined,
): SiteHosts {
  const tool = { env: surroundings.env, cwd: base };
  const known = new Map<string, Promise<readonly AnsibleHost[]>>();

  function hostsOf(
    context: Context,
    program: "ansible" | "slurm",
    asked: { readonly group: string; readonly inventory: string | undefined },
  ): Promise<readonly AnsibleHost[]> {
    const key = JSON.stringify([program, asked]);
    const found =
      known.get(key) ??
      (program === "ansible"
        ? requireTrust(surroundings, config).then(() => readAnsibleHosts(context, tool, asked))
        : readSlurmHosts(context, surroundings.env, asked.group).then((names) => names.map(bareHost)));
    known.set(key, found);
    return found;
  }

  return {
    async resolve(context, at) {
      try {
        if (at.kind === "hosts") {
          const { program, name, inventory } = at.source;
          const hosts = await hostsOf(context, program, { group: name, inventory });
          return { kind: "ssh", text: at.text, hosts: hosts.map((host) => sshAddress(at, host)) };
        }
        if (at.kind === "clush" && at.hosts === undefined)
          return { ...at, hosts: await readClushHosts(context, surroundings.env, at.group) };
        if (at.kind === "ansible" && at.hosts === undefined) {
          const hosts = await hostsOf(context, "ansible", at);
          return { ...at, hosts: hosts.map(({ name }) => name) };
        }
        return at;
      } catch (cause) {
        if (!isAppError(cause) || cause.code === "INTERRUPTED") throw cause;
        return at.kind === "hosts" || isFleet(at) ? { ...at, error: cause } : at;
      }
    },
  };
}

/** Throws PERMISSION_DENIED where nobody said yes to what Ansible would run for this wharf.yaml. */
export async function requireTrust(
  surroundings: Surroundings,
  config: WharfConfig | undefined,
): Promise<void> {
  if (config !== undefined && (await areCommandsTrusted(surroundings, config))) return;
  throw new AppError(
    "PERMISSION_DENIED",
    "Ansible runs what its configuration and inventory name, and this wharf.yaml was not trusted, or changed since",
    { hint: "look at the file, then run `wharf trust`" },
  );
}

function bareHost(name: string): AnsibleHost {
  return { name, address: undefined, user: undefined, port: undefined };
}

/** What wharf.yaml says of user and port goes before what the inventory says. */
function sshAddress(at: DeliveryPlace & { kind: "hosts" }, host: AnsibleHost): SshAddress {
  const user = at.user ?? host.user;
  const port = at.port ?? host.port;
  const name = host.address ?? host.name;
  const shown = name.includes(":") ? `[${name}]` : name;
  const text = `ssh://${user === undefined ? "" : `${user}@`}${shown}${port === undefined ? "" : `:${port}`}${at.sudo ? "?sudo" : ""}`;
  const [address, ...others] = parseSshAddresses(text);
  if (address === undefined || others.length > 0)
    throw new AppError(
      "INVALID_INPUT",
      `${JSON.stringify(name.slice(0, 60))} of the inventory is not one host`,
    );
  return address;
}
