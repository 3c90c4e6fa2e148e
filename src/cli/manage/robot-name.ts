import { AppError } from "#core";

/** Which robot: of a project, or of the site where `project` is undefined. */
export interface RobotName {
  readonly project: string | undefined;
  readonly robot: string;
}

/** `project/name` of a project's robot, `name` of one of the site. Throws USAGE. */
export function parseRobotName(text: string): RobotName {
  const parts = text.split("/");
  const [first = "", second] = parts;
  if (parts.length > 2 || first === "" || second === "")
    throw new AppError("USAGE", `${JSON.stringify(text)} is not a robot`, {
      hint: "write PROJECT/NAME for a project's robot, NAME for one of the site",
    });
  return second === undefined ? { project: undefined, robot: first } : { project: first, robot: second };
}
