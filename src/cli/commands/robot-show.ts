import type { Command } from "../command.ts";
import { registryOption, requiredArg } from "../manage/option-specs.ts";
import { printOne, robotColumns } from "../manage/print.ts";
import { parseRobotName } from "../manage/robot-name.ts";

export const robotShow: Command = {
  path: ["robot", "show"],
  doing: "reading the robot",
  summary: "show a robot: what it may do, and where",
  examples: [
    { command: "wharf robot show team-a/ci", says: "its tokens: wharf token list --robot team-a/ci" },
  ],
  args: [{ name: "robot", summary: "PROJECT/NAME, or NAME for one of the site" }],
  options: [registryOption],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const { client } = await connect(invocation);
    const { project, robot } = parseRobotName(requiredArg(invocation, "robot"));
    printOne(invocation, await client.readRobot(project, robot), robotColumns);
    return 0;
  },
};
