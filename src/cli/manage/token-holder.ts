import type { TokenHolder } from "#api/client";
import { AppError } from "#core";
import type { Invocation, OptionSpec } from "../command.ts";
import { textOption } from "./option-specs.ts";
import { parseRobotName } from "./robot-name.ts";

/** Whose token: what `parseHolder` reads. */
export const holderOptions: readonly OptionSpec[] = [
  { flag: "--robot <robot>", summary: "of a robot: PROJECT/NAME, or NAME for one of the site" },
  { flag: "--user <user>", summary: "of another user (admins)" },
];

/** Yourself where nobody is named. Throws USAGE for both at once. */
export function parseHolder(invocation: Invocation, self: string): TokenHolder {
  const robot = textOption(invocation, "robot");
  const user = textOption(invocation, "user");
  if (robot !== undefined && user !== undefined)
    throw new AppError("USAGE", "--robot and --user exclude each other");
  if (robot !== undefined) return parseRobotName(robot);
  return { user: user ?? self };
}
