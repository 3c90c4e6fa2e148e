import { AppError } from "#core";
import type { Command } from "../command.ts";
import {
  checkSomething,
  descriptionOption,
  enableOptions,
  listOption,
  parseDisabled,
  registryOption,
  requiredArg,
  textOption,
} from "../manage/option-specs.ts";
import { printDone, robotName } from "../manage/print.ts";
import { parseRobotName } from "../manage/robot-name.ts";

export const robotUpdate: Command = {
  path: ["robot", "update"],
  doing: "changing the robot",
  summary: "change what a robot may do, disable or enable it",
  examples: [
    {
      command: "wharf robot update team-a/ci --action pull",
      says: "no more pushes, from its next request on",
    },
    {
      command: "wharf robot update node --project team-a --project base",
      says: "where one of the site may pull",
    },
  ],
  args: [{ name: "robot", summary: "PROJECT/NAME, or NAME for one of the site" }],
  options: [
    {
      flag: "--action <action>",
      summary: "all that a project's robot may do from now on",
      repeatable: true,
      choices: ["pull", "push", "delete"],
    },
    {
      flag: "--project <project>",
      summary: "all projects that a robot of the site may pull from",
      repeatable: true,
    },
    ...enableOptions,
    descriptionOption,
    registryOption,
  ],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const { project, robot: name } = parseRobotName(requiredArg(invocation, "robot"));
    const description = textOption(invocation, "description");
    const actions = listOption(invocation, "action") as readonly ("pull" | "push" | "delete")[] | undefined;
    const projects = listOption(invocation, "project");
    const common = { ...parseDisabled(invocation), ...(description === undefined ? {} : { description }) };
    if (project === undefined && actions !== undefined)
      throw new AppError("USAGE", "a robot of the site only pulls", { hint: "say where, with --project" });
    if (project !== undefined && projects !== undefined)
      throw new AppError("USAGE", "a project's robot is for that project alone");
    const { client } = await connect(invocation);
    const robot =
      project === undefined
        ? await client.updateSiteRobot(
            name,
            checkSomething({ ...common, ...(projects === undefined ? {} : { projects: [...projects] }) }),
          )
        : await client.updateRobot(
            project,
            name,
            checkSomething({
              ...common,
              ...(actions === undefined ? {} : { actions: [...new Set(actions)] }),
            }),
          );
    const may = `${robot.actions.join(", ")} in ${robot.project ?? robot.projects?.join(", ") ?? ""}`;
    printDone(
      invocation,
      robot,
      `${robotName(robot)}: ${robot.disabled ? "disabled" : "active"}, may ${may}`,
    );
    return 0;
  },
};
