import type { LoginProof } from "#client";
import { type Context, forEachAtOnce, toAppError } from "#core";
import { type Surroundings, saveLogin } from "#logins";
import type { Fetch } from "#system";
import { clientOf } from "../prove-logins.ts";
import type { ImportedLogin, ImportOutcome, ImportPlan } from "./contract.ts";

/**
 * Proves each login by the exchange that programs do, and writes those that are good: their secrets to the vault, the rest to wharf.yaml.
 * One that is refused, or cannot be asked about, is left out with the reason; the others go on. `fetch` undefined: nothing is asked.
 */
export async function applyImport(
  context: Context,
  surroundings: Surroundings,
  plan: ImportPlan,
  fetch: Fetch | undefined,
): Promise<readonly ImportOutcome[]> {
  const proved = await forEachAtOnce(plan.logins, async (login): Promise<ImportOutcome> => {
    if (fetch === undefined) return { login, proof: undefined, error: undefined };
    try {
      return { login, proof: await prove(context, login, fetch), error: undefined };
    } catch (cause) {
      return { login, proof: undefined, error: toAppError(cause) };
    }
  });
  const outcomes: ImportOutcome[] = [];
  for (const outcome of proved) outcomes.push(await save(context, surroundings, plan.configPath, outcome));
  return outcomes;
}

async function prove(context: Context, login: ImportedLogin, fetch: Fetch): Promise<LoginProof> {
  const { name, registry, username, identityToken } = login;
  const about = { name, registry, username, plainHttp: false, caFile: undefined, identityToken };
  const client = await clientOf(about, login.secret, fetch);
  return await client.proveLogin(context);
}

/** One after the other: each is a change of the same two files. */
async function save(
  context: Context,
  surroundings: Surroundings,
  configPath: string,
  outcome: ImportOutcome,
): Promise<ImportOutcome> {
  if (outcome.error !== undefined) return outcome;
  const { login, proof } = outcome;
  try {
    await saveLogin(context, surroundings, configPath, {
      name: login.name,
      registry: login.path === undefined ? login.registry : `${login.registry}/${login.path}`,
      username: login.username,
      secret: login.secret,
      ...(proof?.expiresAt === undefined ? {} : { expires: proof.expiresAt }),
      ...(proof === undefined || proof.realmHosts.length === 0 ? {} : { realmHosts: proof.realmHosts }),
      ...(login.identityToken ? { identityToken: true } : {}),
    });
    return outcome;
  } catch (cause) {
    const error = toAppError(cause);
    if (error.code === "INTERRUPTED" || error.code === "INTERNAL") throw error;
    return { ...outcome, error };
  }
}
