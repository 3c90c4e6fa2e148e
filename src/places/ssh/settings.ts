import { createHash } from "node:crypto";

/** What OpenSSH would do for a host, as `ssh -G` says. */
export interface SshSettings {
  /** What is dialled first: the host itself, or what stands before it. Handshakes are counted by it. */
  readonly door: string;
  /** A control path of the user's own: their connection may have cost a second factor, so it is used and not replaced. */
  readonly hasOwnControl: boolean;
  readonly hasOwnTimeout: boolean;
  /** `yes`, `no`, `ask` or `accept-new`. */
  readonly strictHostKeys: string;
  /** Short, and another one for every other configuration: who shares it may share a connection. */
  readonly mark: string;
}

export function parseSettings(text: string): SshSettings {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0 && !values.has(line.slice(0, space)))
      values.set(line.slice(0, space).toLowerCase(), line.slice(space + 1).trim());
  }
  const get = (name: string): string | undefined => {
    const value = values.get(name);
    return value === undefined || value === "none" || value === "" ? undefined : value;
  };
  return {
    door: get("proxyjump") ?? get("proxycommand") ?? `${get("hostname") ?? ""}:${get("port") ?? ""}`,
    hasOwnControl: get("controlpath") !== undefined,
    hasOwnTimeout: get("connecttimeout") !== undefined,
    strictHostKeys: get("stricthostkeychecking") ?? "ask",
    mark: createHash("sha256").update(text).digest("hex").slice(0, 24),
  };
}
