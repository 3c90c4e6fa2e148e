import { AppError } from "#core";
import { isJsonObject, type JsonObject, type Platform } from "./descriptor.ts";
import { type Digest, digestOf, isDigest, parseDigest } from "./digest.ts";
import { jsonDepth } from "./json-depth.ts";
import { createLookalikeCheck } from "./lookalike-keys.ts";

export interface ImageConfigLimits {
  readonly maxBytes: number;
  /** Nesting of objects and arrays. */
  readonly maxDepth: number;
  /** Layers, steps of the history, variables, labels, arguments: of each. */
  readonly maxItems: number;
}

export const defaultImageConfigLimits: ImageConfigLimits = {
  maxBytes: 8 * 1024 * 1024,
  maxDepth: 64,
  maxItems: 10_000,
};

/** An image's config, read (image-spec, config.md). The bytes are the truth: what is unknown here is kept there. */
export interface ImageConfig {
  readonly bytes: Uint8Array;
  /** sha256 of the bytes. */
  readonly digest: string;
  /** `os` and `architecture` are "" where the config does not say. */
  readonly platform: Platform;
  /** RFC 3339 as written; undefined for none. */
  readonly created: string | undefined;
  /** `NAME=VALUE` each, in order. */
  readonly env: readonly string[];
  /** Undefined where the config has none, which is not the same as an empty one for a runtime. */
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  /** "" for none. */
  readonly workingDirectory: string;
  /** `user`, `uid`, `user:group` …; "" for none. */
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly exposedPorts: readonly string[];
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryStep[];
}

export interface HistoryStep {
  readonly created: string | undefined;
  readonly createdBy: string;
  /** True for a step that made no layer. */
  readonly isEmptyLayer: boolean;
}

/** Reads an image's config, OCI's or Docker's. Throws IMAGE_INVALID, DIGEST_INVALID (a diff ID), TOO_LARGE. */
export function parseImageConfig(
  bytes: Uint8Array,
  limits: ImageConfigLimits = defaultImageConfigLimits,
): ImageConfig {
  if (bytes.length > limits.maxBytes)
    throw new AppError("TOO_LARGE", `the image's config is larger than ${limits.maxBytes} bytes`);
  const body = parseBody(bytes, limits);
  checkTopKeys(body);
  const run = objectOf(body.config, "config");
  checkRunKeys(run);
  const rootfs = objectOf(body.rootfs, "rootfs");
  checkRootfsKeys(rootfs);
  return {
    bytes,
    digest: digestOf(bytes),
    platform: platformOf(body),
    created: textOf(body.created, "created") || undefined,
    env: listOf(run.Env, "Env", limits) ?? [],
    entrypoint: argumentsOf(run.Entrypoint, "Entrypoint", limits),
    command: argumentsOf(run.Cmd, "Cmd", limits),
    workingDirectory: textOf(run.WorkingDir, "WorkingDir"),
    user: textOf(run.User, "User"),
    labels: labelsOf(run.Labels, limits),
    volumes: keysOf(run.Volumes, "Volumes", limits),
    exposedPorts: keysOf(run.ExposedPorts, "ExposedPorts", limits),
    diffIds: (listOf(rootfs.diff_ids, "rootfs.diff_ids", limits) ?? []).map(diffIdOf),
    history: historyOf(body.history, limits),
  };
}

const checkTopKeys = createLookalikeCheck([
  "created",
  "architecture",
  "os",
  "os.version",
  "variant",
  "config",
  "rootfs",
  "history",
]);
const checkRunKeys = createLookalikeCheck([
  "Env",
  "Entrypoint",
  "Cmd",
  "WorkingDir",
  "User",
  "Labels",
  "Volumes",
  "ExposedPorts",
]);
const checkRootfsKeys = createLookalikeCheck(["type", "diff_ids"]);
const checkStepKeys = createLookalikeCheck(["created", "created_by", "empty_layer"]);

function parseBody(bytes: Uint8Array, limits: ImageConfigLimits): JsonObject {
  if (jsonDepth(bytes) > limits.maxDepth) throw invalid(`is nested deeper than ${limits.maxDepth}`);
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new AppError("IMAGE_INVALID", "the image's config is not JSON in UTF-8", { cause });
  }
  if (!isJsonObject(body)) throw invalid("is not a JSON object");
  return body;
}

function platformOf(body: JsonObject): Platform {
  const variant = textOf(body.variant, "variant");
  const osVersion = textOf(body["os.version"], "os.version");
  return {
    os: textOf(body.os, "os"),
    architecture: textOf(body.architecture, "architecture"),
    ...(variant === "" ? {} : { variant }),
    ...(osVersion === "" ? {} : { osVersion }),
  };
}

/** Old Docker images have a single text where later ones have a list; both forms run. */
function argumentsOf(value: unknown, name: string, limits: ImageConfigLimits): readonly string[] | undefined {
  return typeof value === "string" ? [noNul(value, name)] : listOf(value, name, limits);
}

function listOf(value: unknown, name: string, limits: ImageConfigLimits): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalid(`has ${name}, which is not a list`);
  checkCount(value.length, name, limits);
  return value.map((item) => {
    if (typeof item !== "string") throw invalid(`has in ${name} what is not text`);
    return noNul(item, name);
  });
}

function labelsOf(value: unknown, limits: ImageConfigLimits): Readonly<Record<string, string>> {
  // Without a prototype any key is only data.
  const labels: Record<string, string> = Object.create(null);
  const entries = Object.entries(objectOf(value, "Labels"));
  checkCount(entries.length, "Labels", limits);
  for (const [key, text] of entries) labels[key] = textOf(text, "a label");
  return labels;
}

function keysOf(value: unknown, name: string, limits: ImageConfigLimits): readonly string[] {
  const keys = Object.keys(objectOf(value, name));
  checkCount(keys.length, name, limits);
  return keys.map((key) => noNul(key, name));
}

function historyOf(value: unknown, limits: ImageConfigLimits): readonly HistoryStep[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid("has a history, which is not a list");
  checkCount(value.length, "history", limits);
  return value.map((item) => {
    const step = objectOf(item, "a step of its history");
    checkStepKeys(step);
    return {
      created: textOf(step.created, "a step's time") || undefined,
      createdBy: textOf(step.created_by, "a step's command"),
      isEmptyLayer: step.empty_layer === true,
    };
  });
}

function diffIdOf(text: string): Digest {
  if (isDigest(text)) return parseDigest(text);
  throw new AppError("DIGEST_INVALID", "a diff ID in the image's config is not a sha256 or sha512 digest");
}

function objectOf(value: unknown, name: string): JsonObject {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw invalid(`has ${name}, which is not an object`);
  return value;
}

/** Go's writers put null or nothing for what they do not have. */
function textOf(value: unknown, name: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw invalid(`has ${name}, which is not text`);
  return noNul(value, name);
}

/** No environment, argument or file name can hold a NUL: it would end there for the one who runs it, and not for us. */
function noNul(text: string, name: string): string {
  if (text.includes("\0")) throw invalid(`has a NUL in ${name}`);
  return text;
}

function checkCount(count: number, name: string, limits: ImageConfigLimits): void {
  if (count > limits.maxItems)
    throw new AppError("TOO_LARGE", `the image's config has more than ${limits.maxItems} of ${name}`);
}

function invalid(what: string): AppError {
  return new AppError("IMAGE_INVALID", `the image's config ${what}`);
}
