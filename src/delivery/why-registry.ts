import { createRegistryClient, type PullProbe } from "#client";
import { type Context, isAppError, toAppError } from "#core";
import type { Login } from "#logins";
import { manifestKey, type Reference } from "#oci";
import type { Fetch } from "#system";
import { readCa } from "./consumer-logins.ts";
import type { Draft, WhyAnswer, WhyInput } from "./why-contract.ts";

/** Completes an answer by what the registry says to exactly that login; the answer alone offline, and for helpers and broken files. */
export async function askRegistry(
  context: Context,
  input: WhyInput,
  step: {
    readonly answer: Draft;
    readonly reference: Reference;
    readonly probes: Map<string, Promise<PullProbe>>;
  },
): Promise<WhyAnswer> {
  const { match, known, ...answer } = step.answer;
  if (input.fetch === undefined || answer.kind === "helper" || answer.kind === "broken") return answer;
  // The same login twice is one question: a registry that counts failures must not count each program.
  const id = JSON.stringify([match?.username, match?.secret.reveal(), match?.identityToken]);
  const probe = step.probes.get(id) ?? probeWith(context, { ...step, input, match, known });
  step.probes.set(id, probe);
  try {
    const pull = await probe;
    return { ...answer, pull, advice: answer.advice ?? liveAdvice(answer, pull, known) };
  } catch (cause) {
    if (isAppError(cause, "INTERRUPTED")) throw cause;
    const error = toAppError(cause);
    return { ...answer, error, advice: answer.advice ?? error.hint };
  }
}

async function probeWith(
  context: Context,
  step: {
    readonly input: WhyInput;
    readonly reference: Reference;
    readonly match: Draft["match"];
    readonly known: Login | undefined;
  },
): Promise<PullProbe> {
  const { reference, match, input } = step;
  const related =
    step.known ??
    [...(input.config?.logins.values() ?? [])].find((login) => login.registry === reference.registry);
  const ca = related?.caFile === undefined ? undefined : await readCa(related, related.caFile);
  const client = createRegistryClient({
    registry: reference.registry,
    fetch: input.fetch as Fetch,
    ...(match === undefined
      ? {}
      : {
          credentials: { username: match.username, secret: match.secret, identityToken: match.identityToken },
        }),
    ...(related?.plainHttp === true ? { plainHttp: true } : {}),
    ...(ca === undefined ? {} : { ca }),
  });
  return await client.probePull(context, reference.repository, manifestKey(reference));
}

function liveAdvice(answer: WhyAnswer, pull: PullProbe, known: Login | undefined): string | undefined {
  const renew =
    known === undefined ? "" : `wharf login ${imagesOf(known)} --as ${known.name}, then wharf apply`;
  if (pull.allowed) {
    return answer.expiry === "expires soon" ? `renew the login before it expires: ${renew}` : undefined;
  }
  if (pull.status === 404)
    return pull.reason === "MANIFEST_UNKNOWN"
      ? "check the image's name and tag: the pull is let in, and there is no such image"
      : "check the image's name; to those who may not see a repository, registries say this too";
  if (answer.kind === "anonymous") return "this image needs a login: wharf login, then wharf apply";
  if (pull.status === 403)
    return "the login is good and may not pull this: ask for the right, or use another login";
  if (pull.loginFault === "ACCOUNT_DISABLED")
    return "the secret is right, and its robot or user is disabled: enable it again at the registry";
  return known === undefined
    ? "the registry refuses this login: log in again with that program"
    : `the registry refuses this login: renew it with ${renew}`;
}

/** What a login is for, as a person types it. */
export function imagesOf({ registry, path }: Login): string {
  return path === undefined ? registry : `${registry}/${path}`;
}
