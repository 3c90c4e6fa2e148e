import { AppError, Secret, version } from "#core";
import type { PlanInput } from "#delivery";
import type { Surroundings } from "#logins";
import type { KubernetesPlaces } from "#places";
import type { Fetch } from "#system";
import type { Invocation, OptionSpec } from "./command.ts";

/** Where the logins' rooms run: the invocation's environment, and its terminal to ask for a passphrase. */
export function surroundingsOf(invocation: Invocation): Surroundings {
  const { env, cwd, terminal } = invocation;
  const surroundings: Surroundings = {
    env,
    cwd,
    readClusterSecret: clusterSecrets(env),
    ...(invocation.json ? {} : { tell: (text) => terminal.err(`${text}\n`) }),
  };
  if (!terminal.isInTerminal) return surroundings;
  return {
    ...surroundings,
    askPassphrase: async (question) => new Secret(await terminal.ask(question, { hidden: true })),
  };
}

/** Loads what speaks to clusters only where a login's secret lies in one; each place is opened once. */
function clusterSecrets(env: Invocation["env"]): NonNullable<Surroundings["readClusterSecret"]> {
  let places: Promise<KubernetesPlaces> | undefined;
  return async (context, kubeContext, path) => {
    places ??= openClusters(env);
    const file = await (await places).open(kubeContext).read(context, path);
    if (file === undefined) return undefined;
    return (JSON.parse(Buffer.from(file.bytes).toString()) as { readonly data: Record<string, string> }).data;
  };
}

async function openClusters(env: Invocation["env"]): Promise<KubernetesPlaces> {
  const { createKubernetesPlaces } = await import("#places");
  const { homeFolder } = await import("#system");
  return createKubernetesPlaces(env, { home: homeFolder(env), userAgent: `wharf/${version}` });
}

/** How registries are asked: by the environment's proxy, as `wharf/VERSION`. */
export async function fetchOf(invocation: Invocation): Promise<Fetch> {
  const { createFetch } = await import("#system");
  // A person waits: half the patience of a transfer.
  return createFetch({ environment: invocation.env, userAgent: `wharf/${version}`, answerTimeoutMs: 20_000 });
}

/** The configuration found, with all that planning needs. `forWriting`: the vault is made where there is none. */
export async function deliveryOf(invocation: Invocation, forWriting = false): Promise<PlanInput> {
  const { findConfig, readConfig } = await import("#logins");
  const { openDelivery } = await import("#delivery");
  const surroundings = surroundingsOf(invocation);
  const { passedOver } = await findConfig(surroundings, invocation.configFile);
  const config = await readConfig(surroundings, invocation.configFile);
  if (passedOver !== undefined)
    invocation.terminal.err(
      `warning: ${passedOver} is passed over, because it or its folder is not yours; name it with -c to use it\n`,
    );
  return await openDelivery(invocation.context, surroundings, config, forWriting);
}

/** `--at` of the commands that can be held to some places. */
export const AT_OPTION: OptionSpec = {
  flag: "--at <place>",
  summary: "this place alone, as in wharf.yaml; a list of hosts for some of them: ssh://gpu[01-10]",
};

/** As `deliveryOf`, held to the places of `--at`, and of `--retry-failed` where a command has it. */
export async function chosenDeliveryOf(invocation: Invocation, forWriting = false): Promise<PlanInput> {
  let input = await deliveryOf(invocation, forWriting);
  const { chooseFailed, choosePlaces } = await import("#delivery");
  if (invocation.options["retryFailed"] === true) {
    const failed = await chooseFailed(input);
    if (failed === undefined)
      throw new AppError("USAGE", "nothing failed the last time", { hint: "run it without --retry-failed" });
    input = failed;
  }
  const at = invocation.options["at"];
  return typeof at === "string" ? choosePlaces(input, at) : input;
}
