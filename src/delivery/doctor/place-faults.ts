import type { Consumer, Target } from "#consumers";
import { type Fault, loginKeys } from "#consumers/faults";
import type { PlaceFile } from "#places";

/** What is wrong with a place as a whole: its environment, and files that hide others. */
export function placeFaults(
  targets: readonly { readonly consumer: Consumer; readonly target: Target }[],
  there: ReadonlyMap<string, Pick<PlaceFile, "bytes">>,
): readonly { readonly path: string; readonly fault: Fault }[] {
  const own = targets.find(({ consumer }) => consumer.name === "apptainer")?.target;
  if (own === undefined) return [];
  return [...pairFaults(own), ...hidingFaults(own, there)];
}

function pairFaults({ env }: Target): readonly { readonly path: string; readonly fault: Fault }[] {
  return ["APPTAINER_DOCKER", "SINGULARITY_DOCKER", "DOCKER"]
    .filter((prefix) => (env[`${prefix}_USERNAME`] ?? "") !== "" || (env[`${prefix}_PASSWORD`] ?? "") !== "")
    .map((prefix) => ({
      path: "(environment)",
      fault: {
        code: "WD042",
        line: undefined,
        message: `${prefix}_USERNAME or ${prefix}_PASSWORD is set: the one pair is sent to every registry, and no file is read`,
        right: "both unset, in the profile that sets them too",
        command: "wharf apply",
      },
    }));
}

function hidingFaults(
  { home }: Target,
  there: ReadonlyMap<string, Pick<PlaceFile, "bytes">>,
): readonly { readonly path: string; readonly fault: Fault }[] {
  const path = `${home}/.apptainer/docker-config.json`;
  const hidden = `${home}/.docker/config.json`;
  const own = there.get(path);
  const other = there.get(hidden);
  if (own === undefined || other === undefined) return [];
  const known = loginKeys(own.bytes);
  const missing = loginKeys(other.bytes).filter((key) => !known.includes(key));
  if (missing.length === 0) return [];
  return [
    {
      path,
      fault: {
        code: "WD043",
        line: undefined,
        message: `while this file is there, Apptainer does not read ${hidden}, which alone has ${missing.join(", ")}`,
        right: "every login that Apptainer needs in its own file",
        command: "wharf apply",
      },
    },
  ];
}
