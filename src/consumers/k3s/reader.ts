import type { MatchAnswer, Target } from "../contract.ts";
import { parseImageName } from "../image-name.ts";
import { loginOf } from "../registry-auth.ts";
import { type Distribution, registriesPath, templatePaths } from "./paths.ts";
import { parseRegistriesBytes, type Registries } from "./registries-yaml.ts";

/** Versions from which `docker.io` is taken for the host that Hub is served from (k3s-io/k3s#12561). */
const FOLDS_HUB: readonly (readonly [number, number])[] = [
  [32, 7],
  [33, 3],
];

/** The entry that containerd gets from k3s or RKE2 for an image: by the host that is contacted, exactly. */
export function matchRegistries(
  distribution: Distribution,
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const { registry } = parseImageName(image);
  const path = registriesPath(distribution, target);
  const bytes = files.get(path);
  if (bytes === undefined) return { kind: "anonymous", why: "there is no file", searched: [path] };
  let registries: Registries;
  try {
    registries = parseRegistriesBytes(bytes, path);
  } catch (fault) {
    return { kind: "broken", file: path, why: fault instanceof Error ? fault.message : "it does not parse" };
  }
  if (registries.mistyped !== undefined) {
    const why = `${registries.mistyped} has another type than ${distribution} decodes: it does not start`;
    return { kind: "broken", file: path, why };
  }
  const isHub = registry === "docker.io";
  const keys = isHub ? ["registry-1.docker.io", "docker.io"] : [registry];
  const key = keys.find((candidate) => registries.configs.get(candidate)?.auth !== undefined);
  const auth = key === undefined ? undefined : registries.configs.get(key)?.auth;
  if (key === undefined || auth === undefined)
    return { kind: "anonymous", why: `no auth under configs for ${keys.join(" or ")}`, searched: [path] };
  if (key === "docker.io" && !foldsHub(target.version)) {
    const why = `${distribution} ${target.version ?? ""} looks for Hub's login under registry-1.docker.io alone`;
    return { kind: "anonymous", why, searched: [path] };
  }
  const login = loginOf(auth);
  if (login === "broken")
    return {
      kind: "broken",
      file: path,
      why: `the auth of ${key} cannot be decoded, so every pull from it fails`,
    };
  if (login === undefined) return { kind: "anonymous", why: `the auth of ${key} is empty`, searched: [path] };
  const dropped = dropsAuth(distribution, files);
  if (dropped !== undefined) {
    const why =
      "it is a template of your own without the part for registries, so every login is dropped in silence";
    return { kind: "broken", file: dropped, why };
  }
  return { kind: "login", match: { file: path, key, ...login, shadows: mirrorNotes(registries, registry) } };
}

function foldsHub(version: string | undefined): boolean {
  const parts = /1\.(\d+)\.(\d+)/.exec(version ?? "");
  if (parts === null) return true;
  const [minor, patch] = [Number(parts[1]), Number(parts[2])];
  const known = FOLDS_HUB.find(([line]) => line === minor);
  return known === undefined ? minor > 33 : patch >= known[1];
}

/** The template that takes effect, where it neither has the part for registries nor extends the built-in one. */
function dropsAuth(distribution: Distribution, files: ReadonlyMap<string, Uint8Array>): string | undefined {
  const path = templatePaths(distribution).find((candidate) => files.has(candidate));
  const text = new TextDecoder().decode(path === undefined ? undefined : files.get(path));
  const isWhole = /\{\{-?\s*template\s+"base"/.test(text) || text.includes(".PrivateRegistryConfig");
  return path === undefined || isWhole ? undefined : path;
}

function mirrorNotes(registries: Registries, registry: string): readonly string[] {
  const endpoints = registries.mirrors.get(registry) ?? registries.mirrors.get("*") ?? [];
  return endpoints.map((endpoint) => `mirrors: ${endpoint} is asked first, with the login of its own host`);
}
