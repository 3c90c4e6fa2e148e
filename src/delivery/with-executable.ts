import type { Target } from "#consumers";
import { AppError, type Context, renderProgramMark } from "#core";
import type { Place } from "#places";
import type { Inventory } from "./targets.ts";

/**
 * The target with the executable that its delivery's `bin-dir:` is given, after the place has said that it runs there. Throws CONFIG_INVALID,
 * and UNSUPPORTED where it cannot be put or would not start: what names a program that is not there breaks more than it gives.
 */
export async function withExecutable(
  context: Context,
  { inventory, place }: { readonly inventory: Inventory; readonly place: Place },
  target: Target,
): Promise<Target> {
  const folder = target.options?.["bin-dir"];
  if (folder === undefined) return target;
  if (typeof folder !== "string" || !folder.startsWith("/"))
    throw new AppError("CONFIG_INVALID", "bin-dir: is no absolute path", {
      hint: "name the folder at the place: bin-dir: /usr/local/bin",
    });
  if (place.programs === undefined || inventory.executable === undefined)
    throw new AppError("UNSUPPORTED", `the executable cannot be sent to ${place.name}`, {
      hint: "leave bin-dir: out and install wharf there by other means, or deliver over ssh://",
    });
  const written = target.options?.["executable"];
  const program = await inventory.executable(typeof written === "string" ? written : undefined);
  await place.programs.requireFit(context, program);
  return { ...target, executable: renderProgramMark(program.sha256) };
}
