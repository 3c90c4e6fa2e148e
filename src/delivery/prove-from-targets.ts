import { createRegistryClient, type LoginProof } from "#client";
import { AppError, type Context, forEachByGroup, isAppError, toAppError, version } from "#core";
import type { Login } from "#logins";
import { createCurlFetch } from "./curl-fetch.ts";
import { WHOLE_FILE } from "./current-mark.ts";
import { targetOf } from "./inventory.ts";
import type { Opened, PlanInput } from "./planning.ts";
import { pullInCluster } from "./pull-in-cluster.ts";
import { SAMPLE } from "./read-back.ts";
import { answerFrom, readPlace, type SearchPath } from "./search-path.ts";
import { consumerNamed, type TargetSpec, targetsOf } from "./targets.ts";

/** What a registry says to a login as it lies at a target, asked from there. */
export interface TargetProof {
  readonly consumer: string;
  readonly place: string;
  readonly user: string | undefined;
  readonly login: string;
  /** In a cluster: where a pod pulled. */
  readonly namespace: string | undefined;
  readonly proof: LoginProof | undefined;
  /** Why it was not asked: nothing runs at a folder, helpers are not run, and in a cluster an image must be named. */
  readonly skipped: string | undefined;
  readonly error: AppError | undefined;
}

/**
 * Proves each delivered login from where it matters: what the program there would send is shown to the registry by curl there; in a cluster
 * a pod pulls one of the `images`. Places
 * at once, the targets of one after another. One target's failure is its own.
 */
export async function proveFromTargets(
  context: Context,
  input: PlanInput,
  images: readonly string[] = [],
): Promise<readonly TargetProof[]> {
  const proofs = await forEachByGroup(
    targetsOf(input.config),
    ({ at }) => at.text,
    (spec) => proveTarget(context, input, { spec, images }),
  );
  return proofs.flat();
}

async function proveTarget(
  context: Context,
  input: PlanInput,
  { spec, images }: { readonly spec: TargetSpec; readonly images: readonly string[] },
): Promise<readonly TargetProof[]> {
  const logins = spec.logins.map((name) => input.config.logins.get(name)).filter((one) => one !== undefined);
  const said = (
    login: Login,
    more: Partial<Pick<TargetProof, "proof" | "skipped" | "error">>,
  ): TargetProof => ({
    consumer: spec.consumer,
    place: spec.at.text,
    user: spec.user,
    login: login.name,
    namespace: undefined,
    proof: undefined,
    skipped: undefined,
    error: undefined,
    ...more,
  });
  let opened: Opened;
  let search: SearchPath;
  try {
    const consumer = consumerNamed(input.inventory.consumers, spec.consumer);
    const place = await input.inventory.openPlace(context, spec.at, spec.user);
    if (place.cluster !== undefined) {
      const target = await targetOf(context, place, consumer, spec.options);
      const step = { spec, opened: { consumer, place, target }, logins, images };
      const { at, user } = spec;
      const pulled = await pullInCluster(context, step);
      return pulled.map((one) => ({ consumer: spec.consumer, place: at.text, user, ...one }));
    }
    if (place.run === undefined) return logins.map((login) => said(login, { skipped: "nothing runs there" }));
    opened = { consumer, place, target: await targetOf(context, place, consumer, spec.options) };
    search = await readPlace(context, opened);
  } catch (cause) {
    if (isAppError(cause, "INTERRUPTED")) throw cause;
    const error = toAppError(cause);
    return logins.map((login) => said(login, { error }));
  }
  const proofs: TargetProof[] = [];
  for (const login of logins) {
    try {
      proofs.push(said(login, await proveThere(context, input, { spec, opened, search, login })));
    } catch (cause) {
      if (isAppError(cause, "INTERRUPTED")) throw cause;
      proofs.push(said(login, { error: toAppError(cause) }));
    }
  }
  return proofs;
}

async function proveThere(
  context: Context,
  input: PlanInput,
  step: {
    readonly spec: TargetSpec;
    readonly opened: Opened;
    readonly search: SearchPath;
    readonly login: Login;
  },
): Promise<Partial<Pick<TargetProof, "proof" | "skipped">>> {
  const { login, opened, spec } = step;
  const images = login.path === undefined ? login.registry : `${login.registry}/${login.path}`;
  const answer = answerFrom(opened, step.search, `${images}/${SAMPLE}`);
  if (answer.kind === "helper")
    return { skipped: `it asks docker-credential-${answer.helper}, which is not run` };
  if (answer.kind !== "login")
    throw new AppError("DRIFT", `${spec.consumer} sends no login for ${images}: ${answer.why}`);
  const { username, secret, identityToken } = answer.match;
  if (username !== login.username)
    throw new AppError(
      "DRIFT",
      `${spec.consumer} sends ${username} for ${images}, from ${answer.match.file}`,
    );
  const caPath = caPathOf(input, spec, login);
  const client = createRegistryClient({
    registry: login.registry,
    fetch: createCurlFetch(context, opened.place, caPath, `wharf/${version}`),
    credentials: { username, secret, identityToken },
    ...(login.plainHttp ? { plainHttp: true } : {}),
  });
  return { proof: await client.proveLogin(context) };
}

/** The registry's CA as it was delivered to that place, for whichever program. */
function caPathOf(input: PlanInput, spec: TargetSpec, login: Login): string | undefined {
  if (login.caFile === undefined) return undefined;
  if (spec.at.kind === "local") return login.caFile;
  return input.records.find(
    (record) =>
      record.key === WHOLE_FILE && record.place === spec.at.text && record.file.includes(login.registry),
  )?.file;
}
