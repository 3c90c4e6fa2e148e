import type { Consumer } from "#consumers";
import { AppError, type Context, nearestName } from "#core";
import type { Delivery, DeliveryPlace, FleetPlace, WharfConfig } from "#logins";
import type { Place, ProgramFile } from "#places";

/** Opens places and names consumers; passed in, so that tests give their own. */
export interface Inventory {
  readonly consumers: readonly Consumer[];
  /** The place of an `at:`, as `user` there (undefined: as the caller). Throws UNSUPPORTED, PERMISSION_DENIED, CONFIG_INVALID. */
  openPlace(context: Context, at: DeliveryPlace, user: string | undefined): Promise<Place>;
  /** The executable that a delivery sends: the one that runs now, or another by its path. Throws UNSUPPORTED from source. */
  executable?(written: string | undefined): Promise<ProgramFile>;
}

/** Deliveries of the same program at the same place for the same user and options are one target. */
export interface TargetSpec {
  readonly consumer: string;
  readonly at: DeliveryPlace;
  readonly user: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  readonly logins: readonly string[];
}

/** The targets of a configuration, in its order. */
export function targetsOf(config: Pick<WharfConfig, "deliveries" | "logins">): readonly TargetSpec[] {
  const targets = new Map<string, TargetSpec>();
  const add = (delivery: Delivery, user: string | undefined, names: readonly string[]): void => {
    for (const at of placesOf(delivery.at)) {
      const key = JSON.stringify([delivery.to, at.text, user ?? "", delivery.options]);
      const known = targets.get(key);
      targets.set(key, {
        consumer: delivery.to,
        at,
        user,
        options: delivery.options,
        logins: [...new Set([...(known?.logins ?? []), ...names])],
      });
    }
  };
  for (const delivery of config.deliveries) {
    if (delivery.users === undefined) add(delivery, undefined, delivery.logins ?? [...config.logins.keys()]);
    else for (const [user, names] of delivery.users) add(delivery, user, names);
  }
  return [...targets.values()];
}

/** Is it hosts that a program of the site reaches. */
export function isFleet(at: DeliveryPlace): at is FleetPlace {
  return at.kind === "ansible" || at.kind === "clush";
}

/** The single places of an `at:`: each host of a list is one, with a text of its own. */
export function placesOf(at: DeliveryPlace): readonly DeliveryPlace[] {
  if (isFleet(at) && at.hosts !== undefined) {
    const { hosts, ...rest } = at;
    const query = at.text.includes("?") ? at.text.slice(at.text.indexOf("?")) : "";
    return hosts.map((host) => ({
      ...rest,
      text: `${at.kind}://${host}${query}`,
      group: host,
      hosts: [host],
    }));
  }
  if (at.kind !== "ssh") return [at];
  return at.hosts.map((host) => ({ kind: "ssh", text: host.text, hosts: [host] }));
}

/** The consumer of that name; throws UNSUPPORTED, naming those that there are. */
export function consumerNamed(consumers: readonly Consumer[], name: string): Consumer {
  const found = consumers.find((consumer) => consumer.name === name);
  if (found !== undefined) return found;
  const known = consumers.map((consumer) => consumer.name);
  const near = nearestName(name, known);
  const words = `it delivers to ${known.join(", ")}`;
  throw new AppError("UNSUPPORTED", `wharf cannot deliver to ${JSON.stringify(name.slice(0, 60))}`, {
    hint: near === undefined ? words : `did you mean ${near}? ${words}`,
  });
}
