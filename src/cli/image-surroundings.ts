import { AppError, version } from "#core";
import type { CacheFolder, SourceSurroundings } from "#images";
import type { Login, WharfConfig } from "#logins";
import type { Reference } from "#oci";
import type { Invocation, OptionSpec } from "./command.ts";
import { surroundingsOf } from "./delivery-surroundings.ts";

/** Programs whose logins are used where wharf.yaml has none, in this order. */
const READERS: readonly string[] = ["docker", "podman", "apptainer", "enroot"];

export const CACHE_OPTION: OptionSpec = {
  flag: "--cache <folder>",
  summary:
    "keep what is fetched here: WHARF_CACHE, else wharf/images in the user's cache folder; shared by the folder's mode",
};

/** The image cache: `--cache`, WHARF_CACHE, XDG_CACHE_HOME, `~/.cache`. */
export async function imageCacheOf({ options, env, cwd }: Invocation): Promise<CacheFolder> {
  const { openCacheFolder } = await import("#images");
  const { homeFolder } = await import("#system");
  const { resolve } = await import("node:path");
  const said = typeof options["cache"] === "string" ? options["cache"] : env["WHARF_CACHE"];
  if (said !== undefined && said !== "") return openCacheFolder(resolve(cwd, said));
  const xdg = env["XDG_CACHE_HOME"];
  const base = xdg?.startsWith("/") === true ? xdg : `${homeFolder(env)}/.cache`;
  return openCacheFolder(`${base}/wharf/images`);
}

/** Is an image asked for with a login here. */
export async function hasImageLogin(invocation: Invocation, reference: Reference): Promise<boolean> {
  const { readConfigIfAny } = await import("#logins");
  const config = await readConfigIfAny(surroundingsOf(invocation), invocation.configFile);
  return (await (await keychainOf(invocation, config))(reference)) !== undefined;
}

/** The image cache for as long as the work lasts; with --no-cache a folder that is gone afterwards. */
export async function withImageCache<T>(
  invocation: Invocation,
  work: (cache: CacheFolder) => Promise<T>,
): Promise<T> {
  if (invocation.options["cache"] !== false) return work(await imageCacheOf(invocation));
  const { openCacheFolder } = await import("#images");
  const { withTemporaryFolder } = await import("#system");
  return withTemporaryFolder("wharf-images-", async (folder) => work(await openCacheFolder(folder)));
}

/** How images are asked for here: with the logins of wharf.yaml, else with what the machine's programs hold; by the environment's proxy. */
export async function imageSurroundingsOf(
  invocation: Invocation,
  cache: CacheFolder,
): Promise<SourceSurroundings> {
  const { env, context, options } = invocation;
  const { createFetch } = await import("#system");
  const { createRegistryClient } = await import("#client");
  const { readConfigIfAny } = await import("#logins");
  const config = await readConfigIfAny(surroundingsOf(invocation), invocation.configFile);
  const findLogin = await keychainOf(invocation, config);
  const fetch = createFetch({ environment: env, userAgent: `wharf/${version}` });
  const mirrors = options["mirror"];
  return {
    cache,
    mirrors: Array.isArray(mirrors) ? mirrors : [],
    fetchUrl: (inner, url, headers) => fetch(url, { headers, signal: inner.signal }),
    daemon: { dockerHost: env["DOCKER_HOST"], fetch },
    async openRegistry(_context, reference) {
      const login = await findLogin(reference);
      const known = relatedLogin(config, reference);
      const ca = known?.caFile === undefined ? undefined : await readCa(known.caFile);
      context.log.debug("asking a registry", { registry: reference.registry, login: login?.from ?? "none" });
      return createRegistryClient({
        registry: reference.registry,
        fetch,
        ...(login === undefined ? {} : { credentials: login }),
        ...(known?.plainHttp === true ? { plainHttp: true } : {}),
        ...(ca === undefined ? {} : { ca }),
      });
    },
  };
}

async function keychainOf(invocation: Invocation, config: WharfConfig | undefined) {
  const { ANONYMOUS, createConfigKeychain, createMachineKeychain } = await import("#keychain");
  const { createSecretReader } = await import("#logins");
  const { consumers } = await import("#consumers");
  const { createLocalPlace } = await import("#places");
  const { renderReference } = await import("#oci");
  const { env, context } = invocation;
  const secrets =
    config === undefined ? undefined : createSecretReader(context, surroundingsOf(invocation), config);
  const readers = READERS.flatMap((name) => consumers.filter((consumer) => consumer.name === name));
  const machine = createMachineKeychain(createLocalPlace({ env }), readers, env);
  return async (reference: Reference) => {
    const image = renderReference(reference);
    if (config !== undefined && secrets !== undefined) {
      const own = await createConfigKeychain(config, secrets).find(context, image);
      if (own !== ANONYMOUS) return own;
    }
    const found = await machine.find(context, image);
    return found === ANONYMOUS ? undefined : found;
  };
}

/** A login of wharf.yaml for the same registry knows how it is reached, whatever image it is for. */
function relatedLogin(config: WharfConfig | undefined, { registry }: Reference): Login | undefined {
  return [...(config?.logins.values() ?? [])].find((login) => login.registry === registry);
}

const MAX_CA_BYTES = 1024 * 1024;

async function readCa(path: string): Promise<string> {
  const { readTextLimited } = await import("#system");
  const text = await readTextLimited(path, MAX_CA_BYTES);
  if (text === undefined) throw new AppError("CONFIG_INVALID", `the CA file ${path} is not there`);
  return text;
}
