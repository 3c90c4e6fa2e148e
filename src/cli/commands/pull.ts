import { resolve } from "node:path";
import { AppError } from "#core";
import type { FormatChoice, FormatName, PullOutcome, PullTarget, WrittenTarget } from "#images";
import type { Command, Invocation } from "../command.ts";
import { CACHE_OPTION, imageSurroundingsOf, withImageCache } from "../image-surroundings.ts";
import { createPullDisplay } from "../pull-display.ts";

const FORMATS: readonly FormatName[] = [
  "sif",
  "sqsh",
  "squashfs",
  "tar",
  "oci",
  "oci-archive",
  "docker-archive",
  "rootfs",
];

export const pull: Command = {
  path: ["pull"],
  doing: "pulling the image",
  summary: "bring an image to a file: for machines without Docker and without root",
  description:
    "SOURCE is docker://NAME (a bare name is one; Enroot's REGISTRY#NAME too), oci:FOLDER[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME] or docker-daemon:NAME. OUT's ending says the format: .sif (Apptainer, SingularityCE), .sqsh (Enroot), .squashfs, .tar; oci:FOLDER, oci-archive:FILE and docker-archive:FILE keep the image one. Logins are those of wharf.yaml, else what docker, podman, Apptainer and Enroot would send here, by their credential helpers too. OUT may lie on another host, ssh://host/path (/~/ is the home there): it is written there by the system's OpenSSH, without a copy here. SIF and .sqsh are held against siftool, unsquashfs and the shells that read their scripts; the runtimes themselves are not part of our tests. What was fetched stays in the cache: a pull that broke off goes on, and a second pull of the same image asks the registry one question that no rate limit counts.",
  examples: [
    {
      command: "wharf pull docker://nvcr.io/nvidia/pytorch:24.01-py3",
      says: "to pytorch_24.01-py3.sif, without root",
    },
    {
      command: "wharf pull nvcr.io#nvidia/pytorch:24.01-py3 --format sqsh --platform linux/arm64",
      says: "for Enroot on another architecture, named as Enroot names it",
    },
    { command: "wharf pull docker-archive:app.tar app.sif", says: "what docker save wrote" },
    { command: "wharf pull docker://debian:12 --format rootfs ./debian", says: "unpacked into a folder" },
  ],
  args: [
    { name: "source", summary: "the image" },
    { name: "out", summary: "the file; without it, one named after the image", required: false },
  ],
  options: [
    { flag: "--format <format>", summary: "what to write, where OUT does not say it", choices: FORMATS },
    {
      flag: "--platform <platform>",
      summary: "os/architecture[/variant]; this machine's unless said, else linux/amd64",
    },
    {
      flag: "--compress <codec>",
      summary: "how data is compressed; Apptainer before 1.4 and all SingularityCE refuse zstd in a SIF",
      choices: ["gzip", "zstd", "none"],
    },
    { flag: "--level <number>", summary: "how hard it tries" },
    {
      flag: "--mirror <registry>",
      summary: "ask this registry first, as host[:port][/prefix]",
      repeatable: true,
    },
    { flag: "--force", summary: "replace OUT" },
    {
      flag: "--link",
      summary: "let OUT share its bytes on disk with earlier pulls, where they cannot be cloned",
    },
    CACHE_OPTION,
    { flag: "--no-cache", summary: "keep nothing, and take nothing that was kept" },
    { flag: "--quiet", summary: "no progress" },
  ],
  async run(invocation) {
    const { args, options, terminal, cwd } = invocation;
    const images = await import("#images");
    const { machinePlatform } = await import("#system");
    const source = images.parseSource(String(args["source"]), (path) => resolve(cwd, path));
    const out = typeof args["out"] === "string" ? args["out"] : undefined;
    const written = images.parseTarget(out, options["format"] as FormatName | undefined, source);
    const platform = images.platformChoice(textOf(options["platform"]), machinePlatform());
    const format = await images.loadFormat(written.format);
    const choice = { ...choiceOf(invocation), ...(written.name === undefined ? {} : { name: written.name }) };
    format.settings(choice);
    const target = await targetOf(written, invocation);
    const display = createPullDisplay(terminal, {
      isShown: options["quiet"] !== true && !invocation.json,
      out: written.text,
    });
    const outcome = await withImageCache(invocation, async (cache) => {
      try {
        return await images.pullImage(
          invocation.context,
          {
            source,
            platform,
            format,
            choice,
            target,
            isForced: options["force"] === true,
            isShared: options["link"] === true,
            keepsResults: options["cache"] !== false,
          },
          { ...(await imageSurroundingsOf(invocation, cache)), onProgress: display.update },
        );
      } finally {
        display.end();
      }
    });
    const isOther = !platform.isAsked && outcome.platform !== images.renderPlatform(platform.platform);
    if (isOther)
      terminal.err(`note: the image is for ${outcome.platform}; choose another one with --platform\n`);
    for (const note of outcome.notes) terminal.err(`note: ${note}\n`);
    if (invocation.json)
      terminal.out(`${JSON.stringify(document(source.text, written, outcome, display))}\n`);
    else terminal.out(`${written.text}\n`);
    return 0;
  },
};

async function targetOf(written: WrittenTarget, invocation: Invocation): Promise<PullTarget> {
  const { cwd, context, env, options } = invocation;
  if (written.kind === "path") return { kind: "path", path: resolve(cwd, written.text) };
  const { createSshSink, parseSshTarget } = await import("#images");
  const target = parseSshTarget(written.text);
  const isForced = options["force"] === true;
  return { kind: "sink", open: (mode) => createSshSink(context, target, { env, mode, isForced }) };
}

function choiceOf({ options }: Invocation): FormatChoice {
  const { compress, level } = options;
  if (level !== undefined && !/^\d{1,2}$/.test(String(level)))
    throw new AppError("USAGE", "--level wants a number");
  return {
    ...(compress === undefined ? {} : { compress: compress as NonNullable<FormatChoice["compress"]> }),
    ...(level === undefined ? {} : { level: Number(level) }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function document(
  source: string,
  written: WrittenTarget,
  outcome: PullOutcome,
  display: ReturnType<typeof createPullDisplay>,
): unknown {
  return {
    source,
    out: written.text,
    format: written.format,
    platform: outcome.platform,
    manifest: outcome.manifestDigest,
    sizeBytes: outcome.sizeBytes,
    how: outcome.how,
    networkBytes: display.last().networkBytes,
    cachedBytes: display.last().cachedBytes,
  };
}
