import type { Command } from "../command.ts";
import { confirmLoss, registryOption, requiredArg, yesOption } from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";
import { parseRobotName } from "../manage/robot-name.ts";

export const robotDelete: Command = {
  path: ["robot", "delete"],
  doing: "deleting the robot",
  summary: "delete a robot with its tokens; whatever uses them is refused from then on",
  examples: [{ command: "wharf robot delete team-a/ci", says: "asks first" }],
  args: [{ name: "robot", summary: "PROJECT/NAME, or NAME for one of the site" }],
  options: [yesOption, registryOption],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const name = requiredArg(invocation, "robot");
    const { project, robot } = parseRobotName(name);
    const { client, signIn } = await connect(invocation);
    await confirmLoss(invocation, `delete the robot ${name} at ${signIn.url}?`);
    await client.deleteRobot(project, robot);
    printDone(invocation, { deleted: name }, `deleted the robot ${name}`);
    return 0;
  },
};
