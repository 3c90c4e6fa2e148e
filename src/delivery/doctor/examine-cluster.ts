import { findClusterFaults } from "#consumers/faults";
import { AppError, type Context } from "#core";
import type { Place } from "#places";
import type { Examination } from "./contract.ts";

/** Looks at the ServiceAccounts and pull secrets of a namespace, or of all; nothing is mended there. Throws CONFIG_INVALID for what is no namespace. */
export async function examineCluster(
  context: Context,
  place: Place,
  namespace: string | undefined,
): Promise<Examination> {
  const { cluster, name } = place;
  if (cluster === undefined) throw new AppError("INTERNAL", `${name} is no cluster`);
  const [one] = namespace === undefined ? [] : await cluster.namespaces(context, { namespace });
  const { refused, ...survey } = await cluster.survey(context, one);
  const found = findClusterFaults({ ...survey, now: new Date() });
  return {
    files: [...found].map(([path, faults]) => ({ place: name, path, faults, mending: undefined })),
    passedOver: refused.map(({ path, error }) => ({ place: name, path, error })),
  };
}
