import type { Consumer, Target } from "#consumers";
import type { Fault, Reader } from "#consumers/faults";
import { type Context, forEachAtOnce, toAppError } from "#core";
import type { DeliveryPlace } from "#logins";
import type { Place, PlaceFile } from "#places";
import { targetOf } from "../inventory.ts";
import { type Inventory, placesOf } from "../targets.ts";
import type { Examination, FileReport } from "./contract.ts";
import { examineCluster } from "./examine-cluster.ts";
import { type AboutFile, examineFile } from "./examine-file.ts";
import { placeFaults } from "./place-faults.ts";

/** Whose rules a consumer's JSON file is read by; the others' files are told by their content. */
const READERS: Readonly<Record<string, Reader>> = {
  docker: "docker",
  podman: "podman",
  apptainer: "apptainer",
  kubelet: "kubelet",
  crio: "podman",
};

const UNPLACED: readonly string[] = ["kubernetes", "runai", "gitlab", "ansible"];

/**
 * Looks at every consumer's files in their places: this machine, or hosts over SSH, many at once. A host that cannot be reached, and a
 * file that may not be read, is passed over. Of a cluster the ServiceAccounts and pull secrets, in `namespace` alone where it is given.
 */
export async function examinePlace(
  context: Context,
  inventory: Inventory,
  at: DeliveryPlace,
  namespace?: string,
): Promise<Examination> {
  if (at.kind === "k8s")
    return await examineCluster(context, await inventory.openPlace(context, at, undefined), namespace);
  const all = await forEachAtOnce(placesOf(at), async (one): Promise<Examination> => {
    try {
      return await examineOne(context, inventory, await inventory.openPlace(context, one, undefined));
    } catch (cause) {
      if (context.signal.aborted) throw cause;
      return { files: [], passedOver: [{ place: one.text, path: "", error: toAppError(cause) }] };
    }
  });
  return {
    files: all.flatMap(({ files }) => files),
    passedOver: all.flatMap(({ passedOver }) => passedOver),
  };
}

async function examineOne(context: Context, inventory: Inventory, place: Place): Promise<Examination> {
  // A Secret's file is where its delivery says; there is no place to look by itself.
  const consumers = inventory.consumers.filter(({ name }) => !UNPLACED.includes(name));
  // All at once, so that a place far away is asked a few times and not for each file.
  const targets = await Promise.all(
    consumers.map(async (consumer) => ({ consumer, target: await targetOf(context, place, consumer, {}) })),
  );
  const wanted = new Map<string, AboutFile>();
  for (const { consumer, target } of targets)
    for (const path of consumer.files(target))
      if (!wanted.has(path)) wanted.set(path, aboutOf(consumer, target, path));
  const seen = new Map<string, { readonly file: PlaceFile; readonly about: AboutFile }>();
  const passedOver: Examination["passedOver"][number][] = [];
  const read = await Promise.all(
    [...wanted].map(async ([path, about]) => {
      try {
        return { path, about, file: await place.read(context, path) };
      } catch (cause) {
        if (context.signal.aborted) throw cause;
        return { path, about, error: toAppError(cause) };
      }
    }),
  );
  for (const { path, about, file, error } of read) {
    if (error !== undefined) passedOver.push({ place: place.name, path, error });
    else if (file !== undefined) seen.set(path, { file, about });
  }
  const files = [...seen].map(([path, { file, about }]) =>
    examineFile(context, place, { path, file, about }),
  );
  const general = placeFaults(targets, new Map([...seen].map(([path, { file }]) => [path, file])));
  return { files: [...files, ...general.map((found) => reportOf(place, found))], passedOver };
}

function aboutOf(consumer: Consumer, target: Target, path: string): AboutFile {
  const reader = path.endsWith("/.docker/config.json") ? "docker" : READERS[consumer.name];
  const curl = target.versions?.["curl"];
  return {
    ...(reader === undefined ? {} : { reader }),
    ...(consumer.name === "enroot" && curl !== undefined ? { curl } : {}),
  };
}

function reportOf(place: Place, found: { readonly path: string; readonly fault: Fault }): FileReport {
  return { place: place.name, path: found.path, faults: [found.fault], mending: undefined };
}
