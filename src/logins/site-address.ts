import { AppError } from "#core";
import type { DeliveryPlace, HostSource } from "./contract.ts";
import { isUserName } from "./ssh-address.ts";

const NAME = "([A-Za-z0-9_][A-Za-z0-9._-]{0,252})";
const OVER_SSH = new RegExp(`^ssh://(?:([^@]*)@)?@([a-z]+):${NAME}(?::(\\d{1,5}))?(?:\\?(.*))?$`, "s");
const BY_ANSIBLE = new RegExp(`^ansible://${NAME}(?:\\?(.*))?$`, "s");

/** A node set as ClusterShell has it: names with ranges, groups of its sources, set operators. */
const BY_CLUSH = /^clush:\/\/([A-Za-z0-9_@][A-Za-z0-9_.@:,[\]/!&^*-]{0,1000})(?:\?(.*))?$/s;

/**
 * Hosts that a program of the site names: `ssh://[user@]@ansible:GROUP[:port]`, `ssh://@slurm:PARTITION`, `ansible://GROUP` and `clush://NODES`, with
 * `?inventory=FILE` and `sudo`. undefined: it is none of them. `expand` makes the file's path absolute. Throws INVALID_INPUT.
 */
export function parseSitePlace(text: string, expand: (written: string) => string): DeliveryPlace | undefined {
  const ansible = BY_ANSIBLE.exec(text);
  if (ansible !== null) {
    const { inventory, sudo } = parseQuery(text, ansible[2]);
    const path = inventory === undefined ? undefined : expand(inventory);
    return { kind: "ansible", text, group: ansible[1] ?? "", inventory: path, sudo, hosts: undefined };
  }
  if (text.startsWith("ansible://"))
    throw invalid(text, "it names no group", "write ansible://GROUP, ansible://all or ansible://HOST");
  const clush = BY_CLUSH.exec(text);
  if (clush !== null) {
    const [, group = "", query] = clush;
    const { inventory, sudo } = parseQuery(text, query);
    if (inventory !== undefined) throw invalid(text, "ClusterShell has no inventory");
    return { kind: "clush", text, group, inventory: undefined, sudo, hosts: undefined };
  }
  if (text.startsWith("clush://"))
    throw invalid(text, "it names no nodes", "write clush://gpu[01-64], clush://@GROUP or clush://HOST");
  const found = OVER_SSH.exec(text);
  if (found === null) return undefined;
  const [, user, program = "", name = "", digits, query] = found;
  if (program !== "ansible" && program !== "slurm")
    throw invalid(
      text,
      `@${program}: is no source of hosts`,
      "hosts come from @ansible:GROUP or @slurm:PARTITION",
    );
  if (user !== undefined && !isUserName(user)) throw invalid(text, "that is not a user's name");
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) throw invalid(text, `there is no port ${port}`);
  const { inventory, sudo } = parseQuery(text, query);
  if (inventory !== undefined && program === "slurm") throw invalid(text, "Slurm has no inventory");
  const source: HostSource = {
    program,
    name,
    inventory: inventory === undefined ? undefined : expand(inventory),
  };
  return { kind: "hosts", text, source, user, port, sudo };
}

function parseQuery(
  text: string,
  query: string | undefined,
): { inventory: string | undefined; sudo: boolean } {
  let inventory: string | undefined;
  let sudo = false;
  for (const part of query === undefined ? [] : query.split("&")) {
    const path = /^inventory=([^\p{Cc}]+)$/u.exec(part)?.[1];
    if (part === "sudo" && !sudo) sudo = true;
    else if (path !== undefined && inventory === undefined && !path.startsWith("-")) inventory = path;
    else throw invalid(text, "behind the ? stand sudo and inventory=FILE, joined by &");
  }
  return { inventory, sudo };
}

function invalid(
  text: string,
  why: string,
  hint = "write ssh://@slurm:PARTITION, ssh://@ansible:GROUP, ansible://GROUP or clush://NODES",
): AppError {
  return new AppError("INVALID_INPUT", `${JSON.stringify(text.slice(0, 80))}: ${why}`, { hint });
}
