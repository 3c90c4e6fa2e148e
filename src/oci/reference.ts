import { AppError } from "#core";
import { parseDigest } from "./digest.ts";
import { canonicalRegistry, DOCKER_HUB, looksLikeRegistry } from "./registry-name.ts";
import { parseRepositoryName, parseTag } from "./repository-name.ts";

/** An image's name in its parts. With neither tag nor digest, programs mean the tag `latest`. */
export interface Reference {
  /** Canonical `host[:port]`; Docker Hub is `docker.io`. */
  readonly registry: string;
  /** As the registry knows it: `library/ubuntu` for `ubuntu`. */
  readonly repository: string;
  readonly tag?: string;
  /** `algorithm:hex`; where both are there, the digest decides. */
  readonly digest?: string;
  /** Enroot's `user@host#path` names the netrc login too. */
  readonly username?: string;
}

const MAX_LENGTH = 255 + 1 + 128 + 1 + 135 + 300;

/**
 * Parses an image's name by docker's rules: `[docker://][registry/]repository[:tag][@digest]`, and Enroot's
 * `[user@]registry#repository[:tag]`. Throws INVALID_INPUT, NAME_INVALID or DIGEST_INVALID.
 */
export function parseReference(text: string): Reference {
  if (text.length > MAX_LENGTH) throw new AppError("INVALID_INPUT", "the image name is too long");
  const name = text.startsWith("docker://") ? text.slice("docker://".length) : text;
  const hash = name.indexOf("#");
  return hash >= 0 ? parseEnroot(name, hash) : parseDocker(name);
}

/** The shortest text that means this reference to every program: the registry is always written out. */
export function renderReference(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

/** What to ask the registry for: the digest, else the tag, else `latest`. */
export function manifestKey(reference: Reference): string {
  return reference.digest ?? reference.tag ?? "latest";
}

function parseDocker(name: string): Reference {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasRegistry = slash >= 0 && looksLikeRegistry(first);
  const registry = hasRegistry ? canonicalRegistry(first) : DOCKER_HUB;
  return build(registry, hasRegistry ? name.slice(slash + 1) : name, undefined);
}

/** Enroot (docker.sh): the registry stands before '#', a netrc user before '@'; the image has docker's form. */
function parseEnroot(name: string, hash: number): Reference {
  const before = name.slice(0, hash);
  const at = before.lastIndexOf("@");
  const username = at < 0 ? undefined : before.slice(0, at);
  if (username === "" || /[\s:/]/.test(username ?? "")) {
    throw new AppError("INVALID_INPUT", "the user before '@' of an Enroot image name is not one", {
      hint: "write user@registry#path:tag, without a password",
    });
  }
  return build(canonicalRegistry(before.slice(at + 1)), name.slice(hash + 1), username);
}

function build(registry: string, remainder: string, username: string | undefined): Reference {
  const at = remainder.indexOf("@");
  const digest = at < 0 ? undefined : parseDigest(remainder.slice(at + 1)).text;
  const named = at < 0 ? remainder : remainder.slice(0, at);
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const tag = colon < 0 ? undefined : parseTag(named.slice(colon + 1));
  const written = colon < 0 ? named : named.slice(0, colon);
  const repository = parseRepositoryName(
    registry === DOCKER_HUB && !written.includes("/") ? `library/${written}` : written,
  );
  if (registry.length + 1 + repository.length > 255) {
    throw new AppError("NAME_INVALID", "registry and repository together are longer than 255 characters");
  }
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    ...(username === undefined ? {} : { username }),
  };
}
