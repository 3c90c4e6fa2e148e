import { AppError } from "#core";
import type { Command } from "../command.ts";
import { CACHE_OPTION, hasImageLogin, imageCacheOf, imageSurroundingsOf } from "../image-surroundings.ts";

const DEFAULT_WAIT_SECONDS = 3600;

export const pyxisImporter: Command = {
  path: ["pyxis-importer"],
  doing: "importing the image",
  summary: "bring an image to a Slurm job's containers once, for all its nodes: Pyxis calls this",
  description:
    "Pyxis (0.21 and newer) calls it where plugstack.conf says importer=FILE. `get` writes the path of an Enroot squashfs, `release` takes it back. The first of all nodes makes the image, the others wait for it; a job that comes later asks the registry one question. Logins are the user's own, as for wharf pull, and what another user brought is given only to those whom the registry lets pull it.",
  examples: [
    { command: "wharf pyxis-importer get docker://nvcr.io#nvidia/pytorch:24.01-py3", says: "inside a job" },
    {
      command: "wharf pyxis-importer --shared /scratch/images release",
      says: "in the file that importer= names, before the words that Pyxis gives",
    },
  ],
  args: [
    { name: "action", summary: "what Pyxis asks for", choices: ["get", "release"] },
    { name: "image", summary: "for get: docker://IMAGE", required: false },
  ],
  options: [
    CACHE_OPTION,
    {
      flag: "--shared <folder>",
      summary:
        "a cache of several users; images with a login go into it only where its mode shuts others out",
    },
    {
      flag: "--wait <seconds>",
      summary: "how long to wait for another node that makes the image",
      default: String(DEFAULT_WAIT_SECONDS),
    },
  ],
  async run(called) {
    const { args, options, context, env, terminal, json } = called;
    const { openCacheFolder } = await import("#images");
    const { importForPyxis, readImageUse, releaseForPyxis } = await import("#programs");
    const { currentUserId, homeFolder, readMachineNames, systemClock } = await import("#system");
    // A job's current folder is anybody's: no wharf.yaml is taken from it.
    const invocation = { ...called, cwd: homeFolder(env) };
    const shared = options["shared"];
    const caches = {
      openOwn: () => imageCacheOf(invocation),
      shared: typeof shared === "string" ? await openCacheFolder(absolute(shared)) : undefined,
    };
    const use = readImageUse(env, {
      userId: currentUserId(),
      hostname: readMachineNames().hostname,
      nowMs: systemClock.now(),
    });
    if (args["action"] === "release") {
      const released = await releaseForPyxis(use, caches);
      if (json) terminal.out(`${JSON.stringify({ released })}\n`);
      return 0;
    }
    const image = args["image"];
    if (typeof image !== "string") throw new AppError("USAGE", "get wants the image");
    const { path, how, platform, manifestDigest, sizeBytes } = await importForPyxis(context, image, use, {
      caches,
      hasLogin: (reference) => hasImageLogin(invocation, reference),
      surroundings: (cache) => imageSurroundingsOf(invocation, cache),
      waitMs: secondsOf(options["wait"]) * 1000,
    });
    const document = { path, how, platform, manifest: manifestDigest, sizeBytes };
    terminal.out(json ? `${JSON.stringify(document)}\n` : `${path}\n`);
    return 0;
  },
};

function absolute(path: string): string {
  if (path.startsWith("/")) return path;
  throw new AppError("USAGE", "--shared wants an absolute path");
}

function secondsOf(value: unknown): number {
  if (/^\d{1,6}$/.test(String(value))) return Number(value);
  throw new AppError("USAGE", "--wait wants a number of seconds");
}
