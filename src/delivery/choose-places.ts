import { AppError } from "#core";
import { type Delivery, type DeliveryPlace, parsePlace, type SshAddress } from "#logins";
import type { PlanInput } from "./planning.ts";

/**
 * Only what is delivered, or was, at these places; the rest of wharf.yaml and state is as if it were not there, and stays. `text` is as
 * in `at:`; `ssh://gpu[01-10]` means those hosts whoever signs in there. Throws INVALID_INPUT for no place, USAGE where nothing is at it.
 */
export function choosePlaces(input: PlanInput, text: string): PlanInput {
  const wanted = parsePlace(text, (folder) => folder);
  const deliveries = input.config.deliveries.flatMap((delivery) => chosenPart(delivery, wanted));
  const records = input.records.filter(({ place }) =>
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

function chosenPart(delivery: Delivery, wanted: DeliveryPlace): readonly Delivery[] {
  const { at } = delivery;
  if (at.kind !== "ssh") return isChosen(at, wanted) ? [delivery] : [];
  const hosts = at.hosts.filter((host) => isHostChosen(host, wanted));
  return hosts.length === 0 ? [] : [{ ...delivery, at: { ...at, hosts } }];
}

/** Is a place, or a host of it, among those that somebody named. */
export function isChosen(at: DeliveryPlace, wanted: DeliveryPlace): boolean {
  return at.kind === "ssh" ? at.hosts.some((host) => isHostChosen(host, wanted)) : at.text === wanted.text;
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
