import { AppError } from "#core";
import { type Delivery, type DeliveryPlace, type FleetPlace, parsePlace, type SshAddress } from "#logins";
import type { PlanInput } from "./planning.ts";
import { readState } from "./state.ts";
import { isFleet, placesOf } from "./targets.ts";

/**
 * Only what is delivered, or was, at these places; the rest of wharf.yaml and state is as if it were not there, and stays. `text` is as
 * in `at:`; `ssh://gpu[01-10]` means those hosts whoever signs in there. Throws INVALID_INPUT for no place, USAGE where nothing is at it.
 */
export function choosePlaces(input: PlanInput, text: string): PlanInput {
  const wanted = parsePlace(text, (folder) => folder);
  const deliveries = input.config.deliveries.flatMap((delivery) => chosenPart(delivery, wanted));
  // Those of hosts that a group or partition named, too: what was delivered there is known again.
  const chosen = new Set(deliveries.flatMap(({ at }) => placesOf(at).map((place) => place.text)));
  const records = input.records.filter(
    ({ place }) =>
      chosen.has(place) ||
      isChosen(
        parsePlace(place, (folder) => folder),
        wanted,
      ),
  );
  if (deliveries.length === 0 && records.length === 0) {
    const known = [...new Set(input.config.deliveries.map(({ at }) => at.text))];
    throw new AppError("USAGE", `nothing is delivered at ${JSON.stringify(text.slice(0, 80))}`, {
      hint: known.length === 0 ? "wharf.yaml delivers nowhere yet" : `deliveries are at ${known.join(", ")}`,
    });
  }
  return { ...input, config: { ...input.config, deliveries }, records };
}

/** Only the places where something failed when they were last delivered to; undefined where nothing did. */
export async function chooseFailed(input: PlanInput): Promise<PlanInput | undefined> {
  const failed = new Set((await readState(input.config.path)).failed);
  if (failed.size === 0) return undefined;
  const deliveries = input.config.deliveries.flatMap((delivery): readonly Delivery[] => {
    const { at } = delivery;
    if (isFleet(at) && at.hosts !== undefined) {
      const texts = new Map(placesOf(at).map((place) => [place.text, place]));
      const hosts = [...texts].flatMap(([text, place]) =>
        failed.has(text) && isFleet(place) ? [place.group] : [],
      );
      return hosts.length === 0 ? [] : [{ ...delivery, at: { ...at, hosts } }];
    }
    if (at.kind !== "ssh") return failed.has(at.text) ? [delivery] : [];
    const hosts = at.hosts.filter(({ text }) => failed.has(text));
    return hosts.length === 0 ? [] : [{ ...delivery, at: { ...at, hosts } }];
  });
  const records = input.records.filter(({ place }) => failed.has(place));
  // What failed has left wharf.yaml, and nothing of ours is there.
  if (deliveries.length === 0 && records.length === 0) return undefined;
  return { ...input, config: { ...input.config, deliveries }, records };
}

function chosenPart(delivery: Delivery, wanted: DeliveryPlace): readonly Delivery[] {
  const { at } = delivery;
  if (at.text === wanted.text) return [delivery];
  if (isFleet(at) && at.hosts !== undefined) {
    const hosts = at.hosts.filter((host) => isFleetHost(at, host, wanted));
    return hosts.length === 0 ? [] : [{ ...delivery, at: { ...at, hosts } }];
  }
  if (at.kind !== "ssh") return [];
  const hosts = at.hosts.filter((host) => isHostChosen(host, wanted));
  return hosts.length === 0 ? [] : [{ ...delivery, at: { ...at, hosts } }];
}

/** Is a place, or a host of it, among those that somebody named. */
export function isChosen(at: DeliveryPlace, wanted: DeliveryPlace): boolean {
  return at.kind === "ssh" ? at.hosts.some((host) => isHostChosen(host, wanted)) : at.text === wanted.text;
}

/** One host of the same program and inventory, by its name. */
function isFleetHost(at: FleetPlace, host: string, wanted: DeliveryPlace): boolean {
  return wanted.kind === at.kind && wanted.group === host && isSameText(wanted.inventory, at.inventory);
}

/** As written: `--at` is not relative to wharf.yaml. */
function isSameText(written: string | undefined, absolute: string | undefined): boolean {
  return written === absolute || (written !== undefined && absolute?.endsWith(`/${written}`) === true);
}

function isHostChosen(host: SshAddress, wanted: DeliveryPlace): boolean {
  return (
    wanted.kind === "ssh" &&
    wanted.hosts.some(
      (one) =>
        one.host === host.host &&
        (one.user === undefined || one.user === host.user) &&
        (one.port === undefined || one.port === host.port),
    )
  );
}
