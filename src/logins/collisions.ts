import { AppError } from "#core";
import type { Delivery, Login } from "./contract.ts";

/**
 * Two logins for the same images are right only where deliveries split them (each person's own login, say). Throws LOGINS_COLLIDE
 * for two of the same registry and path that would meet: in one delivery, in two for the same program at the same place and user, or
 * because one of them is named in no delivery at all, so that "all logins" holds both.
 */
export function refuseCollisions(
  logins: ReadonlyMap<string, Login>,
  deliveries: readonly Delivery[],
  places: ReadonlyMap<string, string>,
): void {
  const targets = loginsByTarget(logins, deliveries);
  const named = new Set(
    deliveries.flatMap((delivery) => [
      ...(delivery.logins ?? []),
      ...[...(delivery.users?.values() ?? [])].flat(),
    ]),
  );
  const byImages = new Map<string, Login[]>();
  for (const login of logins.values()) {
    const images = login.path === undefined ? login.registry : `${login.registry}/${login.path}`;
    const others = byImages.get(images) ?? [];
    for (const other of others) {
      const meeting = [...targets].find(([, names]) => names.has(login.name) && names.has(other.name));
      if (meeting === undefined && named.has(login.name) && named.has(other.name)) continue;
      throw new AppError(
        "LOGINS_COLLIDE",
        `${places.get(login.name) ?? "wharf.yaml"}: logins ${other.name} and ${login.name} are both for ${images}${
          meeting === undefined ? "" : `, and both go to ${meeting[0]}`
        }`,
        {
          // The first is named: the second is perhaps not saved yet.
          hint: `keep one (\`wharf logout ${other.name}\` takes the first out; a new login takes its place with --as ${other.name}), give it a path (registry: ${login.registry}/PROJECT), or name each in a delivery of its own`,
        },
      );
    }
    byImages.set(images, [...others, login]);
  }
}

function loginsByTarget(
  logins: ReadonlyMap<string, Login>,
  deliveries: readonly Delivery[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const targets = new Map<string, Set<string>>();
  const add = (target: string, names: Iterable<string>): void => {
    const known = targets.get(target) ?? new Set<string>();
    for (const name of names) known.add(name);
    targets.set(target, known);
  };
  for (const delivery of deliveries) {
    const name = delivery.options["name"];
    const what = `${delivery.to} at ${delivery.at.text}${typeof name === "string" ? ` (${name})` : ""}`;
    if (delivery.users !== undefined)
      for (const [user, names] of delivery.users) add(`${what} for ${user}`, names);
    else add(what, delivery.logins ?? logins.keys());
  }
  return targets;
}
