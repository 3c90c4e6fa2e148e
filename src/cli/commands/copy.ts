import { resolve } from "node:path";
import { AppError } from "#core";
import type { CopiedImage, CopyRequest, CopySource } from "#images";
import type { Command, Invocation } from "../command.ts";
import { CACHE_OPTION, imageSurroundingsOf, withImageCache } from "../image-surroundings.ts";
import { createPullDisplay } from "../pull-display.ts";
import { renderBytes } from "../render-bytes.ts";
import { pull } from "./pull.ts";

export const copy: Command = {
  path: ["copy"],
  doing: "copying",
  summary: "copy images between registries, layouts and archives, their digests unchanged",
  description:
    "The last argument is where they go: docker://NAME, oci:FOLDER[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], or a file as wharf pull writes it. Several images go below a registry's name (a prefix, which may end with a slash), each under its own path and tag; in an archive each has its whole name. A SIF file goes to a registry as Apptainer pushes it, and is pulled by oras://.\n\nA registry is sent only what it lacks: what another of its repositories holds is mounted, and an image that is there is one question. Logins for both sides are those of wharf pull. Into an archive go all images or none; of several for a registry the others are copied where one fails, and the exit code is 3.",
  examples: [
    {
      command: "wharf copy docker://debian:12 docker://registry.example.org/team/debian",
      says: "one platform of it, with its own tag",
    },
    {
      command: "wharf copy debian:12 python:3.13 oci-archive:bundle.tar --all-platforms",
      says: "an air-gap bundle",
    },
    {
      command: "wharf copy --all oci-archive:bundle.tar docker://registry.example.org/mirror/",
      says: "and its images on the other side",
    },
    {
      command: "wharf copy tool.sif oras://registry.example.org/team/tool:1.0",
      says: "apptainer pull oras://… finds it",
    },
  ],
  args: [
    { name: "source", summary: "an image: as for wharf pull, or a SIF file" },
    { name: "more", summary: "further images, and last where they go", variadic: true },
  ],
  options: [
    { flag: "--all", summary: "every image of an oci:, oci-archive: or docker-archive: source" },
    { flag: "--all-platforms", summary: "whole indexes, byte for byte, instead of one platform" },
    {
      flag: "--platform <platform>",
      summary: "os/architecture[/variant]; this machine's unless said, else linux/amd64",
    },
    {
      flag: "--referrers",
      summary: "with the signatures, bills of materials and the like that refer to them",
    },
    {
      flag: "--mirror <registry>",
      summary: "ask this registry first, as host[:port][/prefix]",
      repeatable: true,
    },
    { flag: "--force", summary: "replace an archive that is there" },
    CACHE_OPTION,
    { flag: "--no-cache", summary: "keep nothing, and take nothing that was kept" },
    { flag: "--quiet", summary: "no progress" },
  ],
  async run(invocation) {
    const { options, terminal, cwd } = invocation;
    const { copyImages, parseCopySource, parseDestination } = await import("#images");
    const absolute = (path: string): string => resolve(cwd, path);
    const words = wordsOf(invocation);
    const written = words.at(-1) ?? "";
    const sources = words.slice(0, -1).map((text) => parseCopySource(text, absolute));
    const isForSeveral = sources.length > 1 || options["all"] === true;
    const destination = parseDestination(written, isForSeveral, absolute);
    if (destination === undefined) return await pullOne(invocation, words, isForSeveral);
    const display = createPullDisplay(terminal, {
      isShown: options["quiet"] !== true && !invocation.json,
      out: written,
    });
    const copied = await withImageCache(invocation, async (cache) => {
      try {
        const surroundings = await imageSurroundingsOf(invocation, cache);
        const request: CopyRequest = {
          sources: options["all"] === true ? await allOf(invocation, sources, cache) : sources,
          destination,
          wanted: await wantedOf(invocation),
          hasReferrers: options["referrers"] === true,
          isForced: options["force"] === true,
        };
        const onProgress = ({ totalBytes, readBytes }: { totalBytes: number; readBytes: number }): void =>
          display.update({
            phase: "making",
            totalBytes,
            networkBytes: readBytes,
            cachedBytes: 0,
            writtenBytes: readBytes,
          });
        return await copyImages(invocation.context, request, { ...surroundings, onProgress });
      } finally {
        display.end();
      }
    });
    if (invocation.json)
      terminal.out(`${JSON.stringify({ destination: written, images: copied.map(documentOf) })}\n`);
    else for (const image of copied) print(invocation, image, written);
    return copied.some(({ error }) => error !== undefined) ? 3 : 0;
  },
};

function wordsOf({ args }: Invocation): readonly string[] {
  const more = args["more"];
  const words = [String(args["source"]), ...(Array.isArray(more) ? (more as string[]) : [])];
  if (words.length > 1) return words;
  throw new AppError("USAGE", "there is no place to copy to", {
    hint: "name it last: wharf copy SOURCE DEST",
  });
}

/** A single file is what `wharf pull` writes. */
async function pullOne(
  invocation: Invocation,
  [source, ...others]: readonly string[],
  isForSeveral: boolean,
): Promise<number | undefined> {
  const out = others.at(-1);
  if (isForSeveral)
    throw new AppError("USAGE", `${out} holds one image, not several`, {
      hint: "several go into oci:FOLDER, oci-archive:FILE, docker-archive:FILE or below docker://REGISTRY/PREFIX/",
    });
  if (invocation.options["allPlatforms"] === true || invocation.options["referrers"] === true)
    throw new AppError("USAGE", `${out} holds an image for one platform, and nothing that refers to it`);
  return await pull.run({ ...invocation, args: { source, out } });
}

async function allOf(
  { context }: Invocation,
  sources: readonly CopySource[],
  cache: Parameters<typeof imageSurroundingsOf>[1],
): Promise<readonly CopySource[]> {
  const { listImages } = await import("#images");
  const found: CopySource[] = [];
  for (const source of sources) {
    if (source.kind === "sif") throw new AppError("USAGE", `${source.text} is one file`);
    found.push(...(await listImages(context, source, cache)));
  }
  return found;
}

async function wantedOf({ options }: Invocation): Promise<CopyRequest["wanted"]> {
  const platform = options["platform"];
  if (options["allPlatforms"] === true) {
    if (platform === undefined) return "all";
    throw new AppError("USAGE", "--platform and --all-platforms exclude one another");
  }
  const { platformChoice } = await import("#images");
  const { machinePlatform } = await import("#system");
  return platformChoice(typeof platform === "string" ? platform : undefined, machinePlatform());
}

function print({ terminal }: Invocation, image: CopiedImage, written: string): void {
  if (image.error !== undefined) {
    terminal.err(`error: copying ${image.source}: ${image.error.message}\n`);
    if (image.error.hint !== undefined) terminal.err(`hint: ${image.error.hint}\n`);
    return;
  }
  terminal.out(`${image.push === undefined ? (image.name ?? written) : image.name}@${image.digest}\n`);
  if (image.foreignLayers > 0)
    terminal.err(
      `note: foreign layers, which their maker keeps elsewhere, were left out: ${image.foreignLayers}\n`,
    );
  if (image.push === undefined) return;
  const { isPresent, sent, mounted, present, sentBytes } = image.push;
  const words = [
    `${sent} sent (${renderBytes(sentBytes)})`,
    ...(mounted > 0 ? [`${mounted} mounted`] : []),
    ...(present > 0 ? [`${present} there already`] : []),
  ];
  terminal.err(
    isPresent ? `${image.name} is there already\n` : `${image.name}: blobs: ${words.join(", ")}\n`,
  );
}

function documentOf({ source, name, digest, push, foreignLayers, error }: CopiedImage): unknown {
  return {
    source,
    name: name ?? null,
    digest: digest ?? null,
    ...(push === undefined ? {} : { push }),
    foreignLayers,
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  };
}
