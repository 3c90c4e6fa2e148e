import { AppError } from "#core";
import type { Place } from "./contract.ts";
import { createFolderPlace } from "./folder/index.ts";
import { createLocalPlace } from "./local/index.ts";

/** Where consumers live: this machine, and a folder to render into. */
export type * from "./contract.ts";
export { createFolderPlace } from "./folder/index.ts";
export { createLocalPlace } from "./local/index.ts";

/** The place that `at:` names in wharf.yaml; folders are taken from `base`. Throws CONFIG_INVALID for one that there is not. */
export function createPlace(at: string, base: string): Place {
  if (at === "local") return createLocalPlace();
  if (at.startsWith("folder:") && at.length > "folder:".length)
    return createFolderPlace(at.slice("folder:".length), base);
  throw new AppError("CONFIG_INVALID", `there is no place ${JSON.stringify(at.slice(0, 80))}`, {
    hint: "use local or folder:DIR; ssh:// and k8s:// come in a later version",
  });
}
