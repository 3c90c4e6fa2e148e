import { resolve } from "node:path";
import { AppError } from "#core";
import type { Command, Invocation } from "../command.ts";
import { CACHE_OPTION, imageCacheOf, imageSurroundingsOf } from "../image-surroundings.ts";
import { fileDocument, imageDocument, renderFile, renderImage } from "../render-inspection.ts";

/** Files of these are never names in a registry. */
const FILE_ENDINGS = /\.(?:sif|sqsh|squashfs|sfs)$/i;

export const inspect: Command = {
  path: ["inspect"],
  doing: "inspecting the image",
  summary: "what an image is: digest, platforms, command, variables, layers; no layer is fetched",
  description:
    "SOURCE is what `wharf pull` takes, or a .sif, .sqsh or .squashfs file: of a SIF its objects, labels, definition and command, of a squashfs how it was made. Logins are those of `wharf pull`.",
  examples: [
    {
      command: "wharf inspect docker://nvcr.io/nvidia/pytorch:24.01-py3",
      says: "before many gigabytes are pulled",
    },
    { command: "wharf inspect pytorch.sif --json", says: "what is in a file, for scripts" },
    { command: "wharf inspect debian:12 --raw", says: "the manifest or index, byte for byte" },
  ],
  args: [{ name: "source", summary: "the image, or a file" }],
  options: [
    {
      flag: "--platform <platform>",
      summary: "os/architecture[/variant]; this machine's unless said, else linux/amd64",
    },
    { flag: "--raw", summary: "the manifest or index as it is; with --platform that image's manifest" },
    {
      flag: "--mirror <registry>",
      summary: "ask this registry first, as host[:port][/prefix]",
      repeatable: true,
    },
    CACHE_OPTION,
  ],
  async run(invocation) {
    const { args, options, terminal, cwd, context } = invocation;
    const images = await import("#images");
    const text = String(args["source"]);
    const isRaw = options["raw"] === true;
    const file = await images.inspectFile(context, resolve(cwd, text));
    if (file !== undefined) {
      if (isRaw) throw new AppError("USAGE", "a file of this kind has no manifest; --raw is for images");
      if (invocation.json) terminal.out(`${JSON.stringify(fileDocument(text, file))}\n`);
      else terminal.out(renderFile(text, file, terminal.color));
      return 0;
    }
    if (FILE_ENDINGS.test(text) && !/^[a-z-]+:/.test(text))
      throw new AppError("NOT_FOUND", `${text} is not there, or is neither a SIF nor a squashfs`);
    return await inspectSource(invocation, text, isRaw);
  },
};

async function inspectSource(invocation: Invocation, text: string, isRaw: boolean): Promise<number> {
  const { options, terminal, cwd, context, json } = invocation;
  const images = await import("#images");
  const { machinePlatform } = await import("#system");
  const { platform } = options;
  const choice = images.platformChoice(
    typeof platform === "string" ? platform : undefined,
    machinePlatform(),
  );
  const source = images.parseSource(text, (path) => resolve(cwd, path));
  const surroundings = await imageSurroundingsOf(invocation, await imageCacheOf(invocation));
  const content = await images.openSource(context, source, surroundings);
  try {
    if (isRaw) {
      terminal.outBytes(await images.readRawManifest(context, content, choice));
      return 0;
    }
    const facts = await images.inspectImage(context, content, choice);
    if (json) terminal.out(`${JSON.stringify(imageDocument(facts))}\n`);
    else terminal.out(renderImage(facts, terminal.color));
    return 0;
  } finally {
    await content.close();
  }
}
