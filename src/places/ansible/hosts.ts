import { AppError, type Context } from "#core";
import { type AnsibleTool, lastWords, runAnsible } from "./tool.ts";

const TIMEOUT_MS = 120_000;
const MAX_BYTES = 128 * 1024 * 1024;
/** As a list of hosts in wharf.yaml. */
const MAX_HOSTS = 16_384;

/** A host of an inventory, with what its variables say of how it is reached. */
export interface AnsibleHost {
  readonly name: string;
  /** `ansible_host`, `ansible_user`, `ansible_port`; undefined: not said. */
  readonly address: string | undefined;
  readonly user: string | undefined;
  readonly port: number | undefined;
}

/**
 * The hosts of a group (or of `all`, or one host by its name), as the site's own `ansible-inventory --list` knows them; `inventory` is a
 * file or folder, undefined: what ansible.cfg says. Throws NOT_FOUND where there is no such group, PROGRAM_FAILED.
 */
export async function readAnsibleHosts(
  context: Context,
  tool: AnsibleTool,
  asked: { readonly group: string; readonly inventory: string | undefined },
): Promise<readonly AnsibleHost[]> {
  const result = await runAnsible(context, tool, {
    argv: ["ansible-inventory", "--list", ...(asked.inventory === undefined ? [] : ["-i", asked.inventory])],
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
  });
  if (result.exitCode !== 0)
    throw new AppError("PROGRAM_FAILED", `ansible-inventory: ${lastWords(result)}`, {
      hint: "does `ansible-inventory --list` work by hand, in the folder of wharf.yaml?",
    });
  return hostsIn(new TextDecoder().decode(result.stdout), asked.group);
}

/** As `readAnsibleHosts`, from what `ansible-inventory --list` printed. The variables it prints are not kept: some are secrets. */
export function hostsIn(text: string, group: string): readonly AnsibleHost[] {
  const inventory = parseInventory(text);
  const names = new Set<string>();
  const seen = new Set<string>();
  const walk = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const members = recordOf(inventory[name]);
    for (const host of textsOf(members["hosts"])) names.add(host);
    for (const child of textsOf(members["children"])) walk(child);
  };
  walk("all");
  const everyone = new Set(names);
  names.clear();
  seen.clear();
  walk(group);
  if (names.size === 0 && everyone.has(group)) names.add(group);
  if (names.size === 0)
    throw new AppError("NOT_FOUND", `the inventory has no hosts in ${JSON.stringify(group.slice(0, 60))}`, {
      hint: "`ansible-inventory --graph` shows its groups",
    });
  if (names.size > MAX_HOSTS) throw new AppError("TOO_LARGE", `${group} has more than ${MAX_HOSTS} hosts`);
  const variables = recordOf(recordOf(inventory["_meta"])["hostvars"]);
  return [...names].map((name) => readHost(name, recordOf(variables[name])));
}

function readHost(name: string, variables: Readonly<Record<string, unknown>>): AnsibleHost {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._:@+-]{0,252}$/.test(name))
    throw new AppError("INVALID_INPUT", `${JSON.stringify(name.slice(0, 60))} is not a host's name`);
  const port = Number(variables["ansible_port"]);
  return {
    name,
    address: textOf(variables["ansible_host"]),
    user: textOf(variables["ansible_user"]),
    port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined,
  };
}

function parseInventory(text: string): Readonly<Record<string, unknown>> {
  try {
    return recordOf(JSON.parse(text));
  } catch {
    // The parser's words quote the text, which holds the variables of hosts.
    throw new AppError("PROGRAM_FAILED", "ansible-inventory printed something else than JSON");
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
