import type { CreatedRobot } from "#api/client";
import { AppError, Secret } from "#core";
import type { Command, Invocation } from "../command.ts";
import { surroundingsOf } from "../delivery-surroundings.ts";
import type { Connection } from "../manage/connect.ts";
import {
  daysOption,
  descriptionOption,
  listOption,
  parseDays,
  registryOption,
  requiredArg,
  textOption,
} from "../manage/option-specs.ts";
import { day, printDone, printSecret, robotName } from "../manage/print.ts";
import { parseRobotName } from "../manage/robot-name.ts";

type Action = "pull" | "push" | "delete";

export const robotCreate: Command = {
  path: ["robot", "create"],
  doing: "making the robot",
  summary: "make a robot: an account for machines",
  description:
    "PROJECT/NAME makes a robot of one project, which signs in as robot-PROJECT-NAME; NAME with --project makes one of the site, which pulls over several projects: what a node needs. Developers make robots that pull, maintainers all, admins those of the site.\n\nThe secret of its first token is shown once, alone on standard output; --save-as puts it straight into the vault and wharf.yaml instead. A token expires after 365 days unless said.",
  examples: [
    {
      command: "wharf robot create team-a/ci --action pull --action push --expires-in-days 90",
      says: "for a pipeline",
    },
    {
      command: "wharf robot create node --project team-a --project base --save-as nodes",
      says: "a login for every node, ready to be delivered",
    },
  ],
  args: [{ name: "robot", summary: "PROJECT/NAME, or NAME for one of the site" }],
  options: [
    {
      flag: "--action <action>",
      summary: "what a project's robot may do (if not said: pull)",
      repeatable: true,
      choices: ["pull", "push", "delete"],
    },
    { flag: "--project <project>", summary: "where a robot of the site may pull", repeatable: true },
    { flag: "--save-as <login>", summary: "seal its secret in the vault and write this login to wharf.yaml" },
    daysOption,
    descriptionOption,
    registryOption,
  ],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const connection = await connect(invocation);
    const saveAs = textOption(invocation, "saveAs");
    const robot = await createRobot(invocation, connection);
    if (saveAs === undefined) {
      printSecret(invocation, robot, `made the robot ${robotName(robot)}`);
      return 0;
    }
    const saved = await save(invocation, connection, robot, saveAs).catch(async (cause: unknown) => {
      // Its secret was shown to nobody: a robot without a login is of no use.
      await connection.client.deleteRobot(robot.project ?? undefined, robot.name);
      throw cause;
    });
    const { secret: _, ...document } = robot;
    const until = robot.expiresAt === null ? "" : `, until ${day(robot.expiresAt)}`;
    printDone(
      invocation,
      { ...document, savedAs: saveAs, config: saved.configPath, vault: saved.vaultPath },
      `made the robot ${robotName(robot)}; login ${saveAs} (${robot.username}${until}) is in ${saved.configPath}, its secret in ${saved.vaultPath}`,
    );
    if (saved.madeKeyFile !== undefined)
      invocation.terminal.err(
        `made the vault's key ${saved.madeKeyFile}: without it no secret can be had back\n`,
      );
    return 0;
  },
};

async function createRobot(invocation: Invocation, { client }: Connection): Promise<CreatedRobot> {
  const { project, robot } = parseRobotName(requiredArg(invocation, "robot"));
  const description = textOption(invocation, "description");
  const projects = listOption(invocation, "project");
  const actions = listOption(invocation, "action") as readonly Action[] | undefined;
  const common = {
    name: robot,
    ...parseDays(invocation),
    ...(description === undefined ? {} : { description }),
  };
  if (project !== undefined) {
    if (projects !== undefined)
      throw new AppError("USAGE", "a project's robot is for that project alone", {
        hint: `leave --project out, or make one of the site: wharf robot create ${robot} --project ${projects[0]}`,
      });
    return client.createRobot(project, {
      ...common,
      ...(actions === undefined ? {} : { actions: [...new Set(actions)] }),
    });
  }
  if (projects === undefined)
    throw new AppError("USAGE", "nobody said of which project the robot is", {
      hint: `write PROJECT/${robot}, or say with --project where a robot of the site may pull`,
    });
  if (actions?.some((action) => action !== "pull") === true)
    throw new AppError("USAGE", "a robot of the site only pulls", {
      hint: `to push, make one of a project: wharf robot create ${projects[0]}/${robot} --action pull --action push`,
    });
  return client.createSiteRobot({ ...common, projects: [...projects] });
}

/** A project's robot is a login for that project's images alone. */
async function save(invocation: Invocation, { signIn }: Connection, robot: CreatedRobot, name: string) {
  const { saveLogin } = await import("#logins");
  const { isLoopbackHost } = await import("#system");
  const url = new URL(signIn.url);
  const plainHttp = url.protocol === "http:" && !isLoopbackHost(url.hostname);
  return saveLogin(invocation.context, surroundingsOf(invocation), invocation.configFile, {
    name,
    registry: robot.project === null ? url.host : `${url.host}/${robot.project}`,
    username: robot.username,
    secret: new Secret(robot.secret),
    ...(robot.expiresAt === null ? {} : { expires: new Date(robot.expiresAt) }),
    ...(plainHttp ? { plainHttp } : {}),
    ...(signIn.caFile === undefined ? {} : { caFile: signIn.caFile }),
  });
}
