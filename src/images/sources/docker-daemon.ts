import { AppError, type Context } from "#core";
import { type Reference, renderReference } from "#oci";
import type { Fetch, FetchAnswer } from "#system";
import { type CacheFolder } from "../cache/index.ts";
import { type OpenArchive, openArchiveOf, storeUnnamed } from "./archive-file.ts";

/** How the daemon is reached. */
export interface DaemonSurroundings {
  /** DOCKER_HOST; the usual socket where it is not set. */
  readonly dockerHost: string | undefined;
  readonly fetch: Fetch;
}

const USUAL_SOCKET = "/var/run/docker.sock";
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * An image that a docker daemon has (or podman's, by its socket), as the archive that it saves. Throws MANIFEST_UNKNOWN, UNREACHABLE, UNSUPPORTED for
 * a daemon that is reached in another way, PROGRAM_FAILED for what it answers instead.
 */
export async function openDaemonArchive(
  context: Context,
  reference: Reference,
  folder: CacheFolder,
  { dockerHost, fetch }: DaemonSurroundings,
): Promise<OpenArchive> {
  const { base, socket } = parseDockerHost(dockerHost ?? "");
  const name = renderReference(
    reference.tag === undefined && reference.digest === undefined
      ? { ...reference, tag: "latest" }
      : reference,
  );
  const answer = await fetch(`${base}/images/${encodeURIComponent(name)}/get`, {
    signal: context.signal,
    ...(socket === undefined ? {} : { socket }),
  });
  if (answer.status !== 200) throw await refused(answer, name);
  return openArchiveOf(context, await storeUnnamed(folder, answer.body));
}

/** Throws UNSUPPORTED for ssh:// and for TLS. */
export function parseDockerHost(text: string): { readonly base: string; readonly socket?: string } {
  if (text === "") return { base: "http://docker", socket: USUAL_SOCKET };
  if (text.startsWith("unix://")) return { base: "http://docker", socket: text.slice("unix://".length) };
  const url = URL.parse(text);
  if (url?.protocol === "tcp:" && url.hostname !== "" && url.username === "" && url.password === "")
    return { base: `http://${url.host}` };
  throw new AppError("UNSUPPORTED", "DOCKER_HOST is neither unix:// nor tcp://", {
    hint: "run `docker save IMAGE -o FILE` there, and pull docker-archive:FILE",
  });
}

async function refused(answer: FetchAnswer, name: string): Promise<AppError> {
  const text = new TextDecoder().decode(await answer.readBytes(MAX_ANSWER_BYTES));
  if (answer.status === 404)
    return new AppError("MANIFEST_UNKNOWN", `the docker daemon has no image ${name}`, {
      hint: "see `docker images`",
    });
  return new AppError("PROGRAM_FAILED", `the docker daemon answered ${answer.status}: ${wordsOf(text)}`);
}

function wordsOf(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { message } = (value ?? {}) as { readonly message?: unknown };
  const words = typeof message === "string" ? message : text;
  return words
    .replace(/[\p{Cc}\p{Cf}]+/gu, " ")
    .trim()
    .slice(0, 300);
}
