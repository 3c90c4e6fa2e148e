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

const formats = ["sif", "sqsh", "both", "off"] as const;
const occasions = ["request", "push"] as const;

export const projectUpdate: Command = {
  path: ["project", "update"],
  doing: "changing the project",
  summary: "change who may see a project, its description, or what is made of its images",
  description:
    "With --convert sif the registry makes a SIF of an image once, in the background, and serves it as the tag TAG.sif (TAG.arm64.sif for one platform of several): `apptainer pull oras://REGISTRY/team-a/app:TAG.sif` is one download on each node. --convert sqsh does the same with squashfs and TAG.sqsh. What failed is tried again when --convert is said again.",
  examples: [
    { command: "wharf project update team-a --private", says: "members and its robots alone" },
    {
      command: "wharf project update team-a --convert sif --convert-on push",
      says: "a SIF of each image, made while nobody waits for it",
    },
  ],
  args: [{ name: "project", summary: "its name" }],
  options: [
    { flag: "--public", summary: "let everybody pull, without a login (owners)" },
    { flag: "--private", summary: "let members and its robots pull, nobody else (owners)" },
    descriptionOption,
    {
      flag: "--convert <formats>",
      summary: "what to make of its images: TAG.sif, TAG.sqsh (maintainers)",
      choices: formats,
    },
    {
      flag: "--convert-on <when>",
      summary: "make it once somebody asks, or with each push (maintainers)",
      choices: occasions,
    },
    registryOption,
  ],
  async run(invocation) {
    const { connect } = await import("../manage/connect.ts");
    const description = textOption(invocation, "description");
    const visibility = parseVisibility(invocation);
    const convert = formats.find((known) => known === textOption(invocation, "convert"));
    const convertOn = occasions.find((known) => known === textOption(invocation, "convertOn"));
    const change = checkSomething({
      ...(visibility === undefined ? {} : { visibility }),
      ...(description === undefined ? {} : { description }),
      ...(convert === undefined ? {} : { convert }),
      ...(convertOn === undefined ? {} : { convertOn }),
    });
    const { client } = await connect(invocation);
    const project = await client.updateProject(requiredArg(invocation, "project"), change);
    const made = project.convert === "off" ? "" : `, and makes ${project.convert} on ${project.convertOn}`;
    printDone(invocation, project, `the project ${project.name} is ${project.visibility}${made}`);
    return 0;
  },
};

function parseVisibility({ options }: Invocation): "public" | "private" | undefined {
  const [isPublic, isPrivate] = [options["public"] === true, options["private"] === true];
  if (isPublic && isPrivate) throw new AppError("USAGE", "--public and --private exclude each other");
  return isPublic ? "public" : isPrivate ? "private" : undefined;
}
