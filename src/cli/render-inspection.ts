import type { FileFacts, ImageFacts } from "#images";
import type { Descriptor, Platform } from "#oci";
import { plainText } from "./plain-text.ts";
import { renderBytes } from "./render-bytes.ts";
import { type Column, renderTable } from "./table.ts";

type Line = readonly [name: string, value: string | undefined];

export function imageDocument(facts: ImageFacts): unknown {
  const { config } = facts;
  return {
    kind: "image",
    name: facts.name,
    root: descriptorDocument(facts.root),
    entries: facts.entries.map((entry) => ({
      ...descriptorDocument(entry),
      platform: entry.platform === undefined ? null : platformText(entry.platform),
    })),
    manifest: descriptorDocument(facts.manifest),
    platform: platformText(facts.platform),
    config: {
      digest: config.digest,
      created: config.created ?? null,
      entrypoint: config.entrypoint ?? null,
      command: config.command ?? null,
      env: config.env,
      workingDirectory: config.workingDirectory,
      user: config.user,
      labels: config.labels,
      volumes: config.volumes,
      exposedPorts: config.exposedPorts,
    },
    layers: facts.layers.map(descriptorDocument),
    layerBytes: facts.layerBytes,
  };
}

export function fileDocument(path: string, facts: FileFacts): unknown {
  const { kind, sizeBytes, squashfs = null } = facts;
  if (kind === "squashfs") return { kind, path, sizeBytes, squashfs };
  const { sif, definition = null, documents } = facts;
  return {
    kind,
    path,
    sizeBytes,
    architecture: sif.architecture ?? null,
    id: sif.id ?? null,
    createdAt: timeText(sif.createdSeconds) ?? null,
    launch: sif.launch,
    descriptors: sif.descriptors.map(({ group, link, createdSeconds, partition, ...rest }) => ({
      ...rest,
      group: group ?? null,
      link: link ?? null,
      createdAt: timeText(createdSeconds) ?? null,
      partition:
        partition === undefined ? null : { ...partition, architecture: partition.architecture ?? null },
    })),
    squashfs,
    definition,
    documents,
  };
}

export function renderImage(facts: ImageFacts, color: boolean): string {
  const { config, layers, entries } = facts;
  const others = entries.filter(({ platform }) => platform !== undefined && platform.os !== "unknown");
  const layerColumns: readonly Column<Descriptor>[] = [
    { head: "LAYER", cell: ({ digest }) => digest },
    { head: "SIZE", cell: ({ sizeBytes }) => renderBytes(sizeBytes) },
    { head: "TYPE", cell: ({ mediaType }) => mediaType },
  ];
  return [
    renderLines([
      ["name", facts.name],
      ["digest", facts.root.digest],
      ["manifest", facts.manifest.digest === facts.root.digest ? undefined : facts.manifest.digest],
      ["platform", platformText(facts.platform)],
      ["platforms", others.map(({ platform }) => platformText(platform)).join(", ")],
      ["created", config.created],
      ["entrypoint", config.entrypoint === undefined ? undefined : JSON.stringify(config.entrypoint)],
      ["command", config.command === undefined ? undefined : JSON.stringify(config.command)],
      ["folder", config.workingDirectory],
      ["user", config.user],
      ["volumes", config.volumes.join(", ")],
      ["ports", config.exposedPorts.join(", ")],
      ...config.env.map((pair): Line => ["variable", pair]),
      ...Object.entries(config.labels).map(([key, value]): Line => ["label", `${key}=${value}`]),
      [
        "size",
        `${renderBytes(facts.layerBytes)} in ${layers.length === 1 ? "one layer" : `${layers.length} layers`}, as stored`,
      ],
    ]),
    renderTable(layerColumns, layers, color),
  ].join("\n");
}

export function renderFile(path: string, facts: FileFacts, color: boolean): string {
  const { squashfs } = facts;
  const squashfsLines: readonly Line[] =
    squashfs === undefined
      ? []
      : [
          ["compression", `${squashfs.compression}, in blocks of ${squashfs.blockBytes / 1024} KiB`],
          ["files", `${squashfs.inodes} of all types`],
        ];
  const head: readonly Line[] = [
    ["file", path],
    ["kind", facts.kind === "sif" ? "SIF" : "squashfs"],
    ["size", renderBytes(facts.sizeBytes)],
  ];
  if (facts.kind === "squashfs")
    return renderLines([
      ...head,
      ...squashfsLines,
      ["made", timeText(facts.squashfs.madeAtSeconds || undefined)],
    ]);
  const { sif, definition } = facts;
  const { labels, runscript } = attributesOf(facts.documents["inspect-metadata.json"]);
  const columns: readonly Column<(typeof sif.descriptors)[number]>[] = [
    { head: "ID", cell: ({ id }) => String(id) },
    { head: "TYPE", cell: ({ type }) => String(type) },
    { head: "NAME", cell: ({ name }) => name || undefined },
    { head: "SIZE", cell: ({ sizeBytes }) => renderBytes(sizeBytes) },
    {
      head: "FOR",
      cell: ({ link, partition }) =>
        partition === undefined
          ? link && `${link.kind} ${link.number}`
          : `${partition.kind}, ${partition.fileSystem}`,
    },
  ];
  return [
    renderLines([
      ...head,
      ["architecture", sif.architecture],
      ["made", timeText(sif.createdSeconds)],
      ...squashfsLines,
      ...labels.map(([key, value]): Line => ["label", `${key}=${value}`]),
    ]),
    renderTable(columns, sif.descriptors, color),
    ...[definition, runscript].flatMap((text) => (text === undefined ? [] : [`${blockText(text)}\n`])),
  ].join("\n");
}

function descriptorDocument({ digest, mediaType, sizeBytes }: Descriptor) {
  return { digest, mediaType, sizeBytes };
}

function platformText(platform: Platform | undefined): string {
  if (platform === undefined || platform.architecture === "") return "not said";
  const { os, architecture, variant } = platform;
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}

/** Values that are empty are left out. */
function renderLines(lines: readonly Line[]): string {
  const shown = lines.flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${plainText(value)}\n`).join("");
}

/** Lines of somebody else's, indented. */
function blockText(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${plainText(line)}`)
    .join("\n");
}

function timeText(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** Any program may have written it: only what has Apptainer's form is shown. */
function attributesOf(metadata: unknown): {
  readonly labels: readonly (readonly [string, string])[];
  readonly runscript: string | undefined;
} {
  const attributes = objectOf(objectOf(objectOf(metadata)["data"])["attributes"]);
  const { runscript } = attributes;
  const labels = Object.entries(objectOf(attributes["labels"]));
  return {
    labels: labels.filter((pair): pair is [string, string] => typeof pair[1] === "string"),
    runscript: typeof runscript === "string" ? runscript : undefined,
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
