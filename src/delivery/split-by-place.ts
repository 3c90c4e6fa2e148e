import type { PlanInput } from "./planning.ts";
import { type TargetSpec, targetsOf } from "./targets.ts";

/** What is to be planned at one place: its targets, in the order of wharf.yaml, and its records alone. */
export interface PlacePart {
  readonly place: string;
  readonly specs: readonly TargetSpec[];
  readonly input: PlanInput;
}

/** Everything by place: those of wharf.yaml in its order, then those where something was delivered once. */
export function splitByPlace(input: PlanInput): readonly PlacePart[] {
  const specs = Map.groupBy(targetsOf(input.config), ({ at }) => at.text);
  const records = Map.groupBy(input.records, ({ place }) => place);
  return [...new Set([...specs.keys(), ...records.keys()])].map((place) => ({
    place,
    specs: specs.get(place) ?? [],
    input: { ...input, records: records.get(place) ?? [] },
  }));
}

/**
 * What was found at each place (its targets in the order of the part, then what left wharf.yaml) as one list: first what wharf.yaml
 * delivers, in its order, then what left it, in the order of the state.
 */
export function joinByPlace<T>(
  input: PlanInput,
  parts: readonly PlacePart[],
  found: readonly (readonly T[])[],
): readonly T[] {
  const delivered = new Map<string, readonly T[]>();
  const left = new Map<string, readonly T[]>();
  for (const [index, { place, specs }] of parts.entries()) {
    delivered.set(place, (found[index] ?? []).slice(0, specs.length));
    left.set(place, (found[index] ?? []).slice(specs.length));
  }
  const taken = new Map<string, number>();
  const inOrder = targetsOf(input.config).flatMap(({ at }) => {
    const position = taken.get(at.text) ?? 0;
    taken.set(at.text, position + 1);
    return delivered.get(at.text)?.slice(position, position + 1) ?? [];
  });
  const places = new Set(input.records.map(({ place }) => place));
  return [...inOrder, ...[...places].flatMap((place) => left.get(place) ?? [])];
}
