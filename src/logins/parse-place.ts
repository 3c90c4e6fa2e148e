import { AppError } from "#core";
import type { DeliveryPlace } from "./contract.ts";
import { parseSitePlace } from "./site-address.ts";
import { parseSshAddresses } from "./ssh-address.ts";

/**
 * A place as it stands in `at:`, in `--at` and in the state. `expandFolder` makes a folder's path absolute. Throws INVALID_INPUT for
 * what is no place.
 */
export function parsePlace(text: string, expandFolder: (written: string) => string): DeliveryPlace {
  if (text === "local") return { kind: "local", text };
  if (text.startsWith("folder:") && text.length > "folder:".length)
    return { kind: "folder", text, folder: expandFolder(text.slice("folder:".length)) };
  const site = parseSitePlace(text, expandFolder);
  if (site !== undefined) return site;
  if (text.startsWith("ssh://")) return { kind: "ssh", text, hosts: parseSshAddresses(text) };
  if (text.startsWith("k8s://") && !/[\p{Cc}\s]/u.test(text))
    return { kind: "k8s", text, context: text === "k8s://" ? undefined : text.slice("k8s://".length) };
  throw new AppError("INVALID_INPUT", `${JSON.stringify(text.slice(0, 80))} is not a place`, {
    hint: "a place is local, folder:DIR, ssh://[user@]host[:port], ansible://GROUP, clush://NODES or k8s://CONTEXT",
  });
}
