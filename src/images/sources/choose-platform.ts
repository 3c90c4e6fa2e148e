import { AppError } from "#core";
import type { Descriptor, Platform } from "#oci";

/** Go's names of architectures by what others call them. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  ia32: "386",
  i386: "386",
  x86: "386",
  armhf: "arm",
  ppc64el: "ppc64le",
};

/** Parses `os/architecture[/variant]`, or an architecture alone for linux. Throws INVALID_INPUT. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9][a-z0-9_.-]{0,63}$/.test(part)))
    throw new AppError("INVALID_INPUT", `${JSON.stringify(text.slice(0, 100))} is not a platform`, {
      hint: "write it as linux/amd64 or linux/arm/v7",
    });
  const [os, architecture, variant] = parts.length === 1 ? ["linux", parts[0]] : parts;
  return normalPlatform({
    os: os ?? "",
    architecture: architecture ?? "",
    ...(variant === undefined ? {} : { variant }),
  });
}

export function renderPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}

/** One spelling for each platform: arm64 is v8 unless it says otherwise, arm is v7, amd64 is v1. */
export function normalPlatform(platform: Platform): Platform {
  const lower = platform.architecture.toLowerCase();
  const os = platform.os.toLowerCase();
  const named = /^(arm64|aarch64)[/_-]?(v\d)$/.exec(lower);
  const architecture = named === null ? (ARCHITECTURES[lower] ?? lower) : "arm64";
  const variant = (platform.variant ?? named?.[2])?.toLowerCase().replace(/^(\d)$/, "v$1");
  const isPlain =
    (architecture === "arm64" && variant === "v8") || (architecture === "amd64" && variant === "v1");
  return { os, architecture, ...(variant === undefined || isPlain ? {} : { variant }) };
}

/** An image runs where this is wanted; an image for arm that says no variant runs on v7 and below as it was built, which nobody can know. */
export function isForPlatform(image: Platform, wanted: Platform): boolean {
  const found = normalPlatform(image);
  const asked = normalPlatform(wanted);
  if (found.os !== asked.os || found.architecture !== asked.architecture) return false;
  return asked.variant === undefined || found.variant === undefined || found.variant === asked.variant;
}

/** Entries of an index that are no images: what is attested of others (BuildKit's), and what says that its platform is not known. */
export function isImageEntry(descriptor: Descriptor): boolean {
  if (descriptor.annotations["vnd.docker.reference.type"] !== undefined) return false;
  return descriptor.platform?.os !== "unknown" && descriptor.platform?.architecture !== "unknown";
}

/**
 * The entries of an index for the platform, best first: the very variant, then the highest variant that this one runs, then those that say
 * nothing of it.
 */
export function choosePlatform(entries: readonly Descriptor[], wanted: Platform): readonly Descriptor[] {
  const asked = normalPlatform(wanted);
  const rank = ({ platform }: Descriptor): number => {
    const variant = platform === undefined ? undefined : normalPlatform(platform).variant;
    if (variant === asked.variant) return 0;
    return variant === undefined ? 1 : 2;
  };
  return entries
    .filter((entry) => entry.platform !== undefined && isForPlatform(entry.platform, asked))
    .sort((a, b) => rank(a) - rank(b) || compareVariants(b, a));
}

function compareVariants(a: Descriptor, b: Descriptor): number {
  return (a.platform?.variant ?? "").localeCompare(b.platform?.variant ?? "", "en", { numeric: true });
}

/** What somebody wants to run an image on. */
export interface PlatformChoice {
  readonly platform: Platform;
  /** They said so: another one is refused. Else what is there is taken: for linux/amd64, or the only one. */
  readonly isAsked: boolean;
}

const USUAL: Platform = { os: "linux", architecture: "amd64" };

/**
 * The platform that was asked for, or this machine's where it runs containers itself; where it does not (macOS), the one that most clusters
 * have. Throws INVALID_INPUT.
 */
export function platformChoice(
  text: string | undefined,
  machine: { readonly system: string; readonly processor: string },
): PlatformChoice {
  if (text !== undefined) return { platform: parsePlatform(text), isAsked: true };
  if (machine.system !== "linux") return { platform: USUAL, isAsked: false };
  return { platform: normalPlatform({ os: "linux", architecture: machine.processor }), isAsked: false };
}

/** The platforms to look for, in this order. */
export function platformsOf({ platform, isAsked }: PlatformChoice): readonly Platform[] {
  return isAsked || isForPlatform(USUAL, platform) ? [platform] : [platform, USUAL];
}
