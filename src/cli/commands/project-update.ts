import { AppError } from "#core";
import type { Command, Invocation } from "../command.ts";
import {
  checkSomething,
  descriptionOption,
  registryOption,
  requiredArg,
  textOption,
} from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";

export const projectUpdate: Command = {
  path: ["project", "update"],
  doing: "changing the project",
  summary: "change who may see a project, or its description",
  examples: [{ command: "wharf project update team-a --private", says: "members and its robots alone" }],
  args: [{ name: "project", summary: "its name" }],
  options: [
    { flag: "--public", summary: "let everybody pull, without a login (owners)" },
    { flag: "--private", summary: "let members and its robots pull, nobody else (owners)" },
    descriptionOption,
    registryOption,
  ],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const description = textOption(invocation, "description");
    const visibility = parseVisibility(invocation);
    const change = checkSomething({
      ...(visibility === undefined ? {} : { visibility }),
      ...(description === undefined ? {} : { description }),
    });
    const { client } = await connect(invocation);
    const project = await client.updateProject(requiredArg(invocation, "project"), change);
    printDone(invocation, project, `the project ${project.name} is ${project.visibility}`);
    return 0;
  },
};

function parseVisibility({ options }: Invocation): "public" | "private" | undefined {
  const [isPublic, isPrivate] = [options["public"] === true, options["private"] === true];
  if (isPublic && isPrivate) throw new AppError("USAGE", "--public and --private exclude each other");
  return isPublic ? "public" : isPrivate ? "private" : undefined;
}
