import { createRegistryClient, type PullProbe } from "#client";
import type { Consumer, MatchAnswer, Target } from "#consumers";
import { type AppError, type Context, isAppError, toAppError } from "#core";
import { isLoginFor, loginForImage, readFiles } from "#keychain";
import type { Login, WharfConfig } from "#logins";
import { manifestKey, parseReference, type Reference } from "#oci";
import type { Place } from "#places";
import type { Fetch } from "#system";
import { readCa } from "./consumer-logins.ts";
import type { DeliveredRecord } from "./contract.ts";
import { programsOf, readingTargetOf } from "./inventory.ts";
import { type Expiry, expiryOf } from "./prove-logins.ts";
import { consumerNamed, type Inventory, type TargetSpec, targetsOf } from "./targets.ts";

/** What one program here would do for an image. */
export interface WhyAnswer {
  readonly consumer: string;
  readonly place: string;
  /** What answers: an entry of a file, a helper, nothing, or a file that the program cannot use. */
  readonly kind: MatchAnswer["kind"];
  readonly file: string | undefined;
  readonly key: string | undefined;
  /** The login of wharf.yaml that this is, where it is one. */
  readonly login: string | undefined;
  readonly username: string | undefined;
  /** What is used in place of the login that wharf.yaml has for this image; undefined where nothing is in its way. */
  readonly shadowedBy: string | undefined;
  /** Everything that the program passed over, in words. */
  readonly shadows: readonly string[];
  /** A login is sent, and it is one that is for this image. */
  readonly covered: boolean;
  /** Why there is no login, or what is broken. */
  readonly why: string | undefined;
  readonly expires: Date | undefined;
  readonly expiry: Expiry;
  /** What the registry says to exactly that; undefined offline, and for helpers, which are not run. */
  readonly pull: PullProbe | undefined;
  /** Why the registry gave no answer. */
  readonly error: AppError | undefined;
  /** What to do; undefined where all is well. */
  readonly advice: string | undefined;
}

export interface WhyInput {
  readonly inventory: Inventory;
  readonly config: WharfConfig | undefined;
  readonly records: readonly DeliveredRecord[];
  /** undefined: offline. */
  readonly fetch: Fetch | undefined;
  readonly now: Date;
}

/**
 * For each program here (installed, with a file, or delivered to): which entry it would use for the image, what is in the way, and what
 * the registry answers to that. Needs no vault: it looks at what the programs hold. Throws for an image name that is none.
 */
export async function explainImage(
  context: Context,
  input: WhyInput,
  image: string,
): Promise<readonly WhyAnswer[]> {
  const reference = parseReference(image);
  const wanted = wantedLogin(input.config, image);
  const views = await Promise.all(viewsOf(input).map((view) => readView(context, input, view, image)));
  const answers = views
    .filter((view) => view !== undefined)
    .map((view) => describe(input, view, { reference, wanted }));
  const probes = new Map<string, Promise<PullProbe>>();
  return await Promise.all(
    answers.map((answer) => askRegistry(context, input, { answer, reference, probes })),
  );
}

interface View {
  readonly consumer: string;
  readonly spec: TargetSpec;
  readonly delivered: boolean;
}

interface Seen {
  readonly spec: TargetSpec;
  readonly answer: MatchAnswer;
  readonly delivered: boolean;
}

/** An answer with what is only needed to ask the registry. */
interface Draft extends WhyAnswer {
  readonly match: Extract<MatchAnswer, { kind: "login" }>["match"] | undefined;
  readonly known: Login | undefined;
}

function viewsOf(input: WhyInput): readonly View[] {
  const delivered = (input.config === undefined ? [] : targetsOf(input.config)).filter(
    (spec) =>
      spec.at.kind !== "later" && input.inventory.consumers.some(({ name }) => name === spec.consumer),
  );
  const local = input.inventory.consumers
    .filter(
      ({ name }) =>
        !delivered.some(
          (spec) => spec.consumer === name && spec.at.kind === "local" && spec.user === undefined,
        ),
    )
    .map(
      ({ name }): View => ({
        consumer: name,
        delivered: false,
        spec: {
          consumer: name,
          at: { kind: "local", text: "local" },
          user: undefined,
          options: {},
          logins: [],
        },
      }),
    );
  return [...delivered.map((spec) => ({ consumer: spec.consumer, spec, delivered: true })), ...local];
}

async function readView(
  context: Context,
  input: WhyInput,
  view: View,
  image: string,
): Promise<Seen | undefined> {
  const { spec, delivered } = view;
  try {
    const consumer = consumerNamed(input.inventory.consumers, view.consumer);
    const place = await input.inventory.openPlace(context, spec.at, spec.user);
    const target = await readingTargetOf(context, place, consumer, spec.options);
    const files = await readFiles(context, place, consumer, target);
    if (!delivered && files.size === 0 && !(await isInstalled(context, place, consumer, target)))
      return undefined;
    return { spec, delivered, answer: consumer.match(files, image, target) };
  } catch (cause) {
    if (!delivered || isAppError(cause, "INTERRUPTED")) throw cause;
    const why = toAppError(cause).message;
    return { spec, delivered, answer: { kind: "broken", file: spec.at.text, why } };
  }
}

async function isInstalled(
  context: Context,
  place: Place,
  consumer: Consumer,
  target: Target,
): Promise<boolean> {
  // kubectl alone says nothing of a Secret of ours.
  if (consumer.name === "kubernetes") return false;
  return target.version !== undefined || (await programsOf(context, place, consumer)).length > 0;
}

/** The login of wharf.yaml for the image; undefined where there is none, or where deliveries split several. */
function wantedLogin(config: WharfConfig | undefined, image: string): Login | undefined {
  try {
    return config === undefined ? undefined : loginForImage(config, image);
  } catch (cause) {
    if (isAppError(cause, "LOGINS_COLLIDE")) return undefined;
    throw cause;
  }
}

function describe(
  input: WhyInput,
  seen: Seen,
  about: { readonly reference: Reference; readonly wanted: Login | undefined },
): Draft {
  const { answer, spec } = seen;
  const expected = expectedLogin(input, seen, about);
  const match = answer.kind === "login" ? answer.match : undefined;
  const file =
    answer.kind === "login" ? answer.match.file : answer.kind === "anonymous" ? undefined : answer.file;
  const key = match?.key ?? (answer.kind === "helper" ? answer.key : undefined);
  const known = match === undefined ? undefined : knownLogin(input, spec, match);
  const isOther = expected !== undefined && known?.name !== expected.name;
  const shadowedBy =
    isOther && (answer.kind === "login" || answer.kind === "helper") ? shadowOf(answer) : undefined;
  const covered =
    match !== undefined && (known === undefined ? !isOther : isLoginFor(known, about.reference));
  const expiry = known === undefined ? "never" : expiryOf(known, input.now);
  const renew =
    known !== undefined && expiry === "expired"
      ? `its secret expired: wharf login ${known.registry} --as ${known.name}, then wharf apply`
      : undefined;
  return {
    consumer: spec.consumer,
    place: spec.user === undefined ? spec.at.text : `${spec.at.text} (${spec.user})`,
    kind: answer.kind,
    file,
    key,
    login: known?.name,
    username: match?.username,
    shadowedBy,
    shadows: answer.kind === "login" ? answer.match.shadows : answer.kind === "helper" ? answer.shadows : [],
    covered,
    why: answer.kind === "anonymous" || answer.kind === "broken" ? answer.why : undefined,
    expires: known?.expires,
    expiry,
    pull: undefined,
    error: undefined,
    advice: offlineAdvice({ seen, expected, isOther, wanted: about.wanted }) ?? renew,
    match,
    known,
  };
}

/** The login that wharf.yaml delivers to this program for this image. */
function expectedLogin(
  input: WhyInput,
  seen: Seen,
  about: { readonly reference: Reference; readonly wanted: Login | undefined },
): Login | undefined {
  if (!seen.delivered) return undefined;
  const candidates = seen.spec.logins
    .flatMap((name) => input.config?.logins.get(name) ?? [])
    .filter((login) => isLoginFor(login, about.reference))
    .sort((a, b) => (b.path?.split("/").length ?? 0) - (a.path?.split("/").length ?? 0));
  return candidates[0];
}

/** By the record of its delivery, else by registry and username. */
function knownLogin(
  input: WhyInput,
  spec: TargetSpec,
  match: { readonly file: string; readonly key: string; readonly username: string },
): Login | undefined {
  const logins = input.config?.logins;
  if (logins === undefined) return undefined;
  const record = input.records.find(
    (one) =>
      one.place === spec.at.text &&
      one.user === spec.user &&
      one.file === match.file &&
      one.key === match.key,
  );
  const recorded = record === undefined ? undefined : logins.get(record.login);
  if (recorded?.username === match.username) return recorded;
  return [...logins.values()].find(
    (login) =>
      login.username === match.username && hostsOfKey(match.key).some((host) => isHostOf(login, host)),
  );
}

/** `https://index.docker.io/v1/`, `reg.example:5000/team`, `machine nvcr.io`: the words of a key that can be hosts. */
function hostsOfKey(key: string): readonly string[] {
  return key.replace(/^https?:\/\//, "").split(/[\s/]+/);
}

function isHostOf(login: Login, host: string): boolean {
  if (login.registry === "docker.io") return /^(?:index\.|registry-1\.)?docker\.io$/.test(host);
  // Enroot's lines name a host without its port.
  return host === login.registry || host === login.registry.replace(/:\d+$/, "");
}

function shadowOf(answer: Extract<MatchAnswer, { kind: "login" | "helper" }>): string {
  return answer.kind === "helper"
    ? `docker-credential-${answer.helper} (${answer.key} in ${answer.file})`
    : `${answer.match.key} in ${answer.match.file}`;
}

function offlineAdvice(about: {
  readonly seen: Seen;
  readonly expected: Login | undefined;
  readonly isOther: boolean;
  readonly wanted: Login | undefined;
}): string | undefined {
  const { seen, expected, isOther, wanted } = about;
  const { answer, spec } = seen;
  if (answer.kind === "broken") return `mend ${answer.file}; until then nothing it holds can be relied on`;
  if (answer.kind === "helper")
    return `ask the helper: echo ${answer.key} | docker-credential-${answer.helper} get`;
  if (isOther && answer.kind === "anonymous")
    return `wharf apply: login ${expected?.name ?? ""} is not in place there`;
  if (isOther)
    return `remove what is in its way, then wharf apply: wharf.yaml means login ${expected?.name ?? ""} for this image`;
  if (answer.kind === "anonymous" && wanted !== undefined)
    return `deliver it: { to: ${spec.consumer}, at: ${spec.at.text}, logins: [${wanted.name}] }, then wharf apply`;
  return undefined;
}

async function askRegistry(
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
  return known === undefined
    ? "the registry refuses this login: log in again with that program"
    : `the registry refuses this login: renew it with ${renew}`;
}

function imagesOf({ registry, path }: Login): string {
  return path === undefined ? registry : `${registry}/${path}`;
}
