import type { MatchAnswer } from "#consumers";
import { isAppError } from "#core";
import { isLoginFor, loginForImage } from "#keychain";
import type { Login, WharfConfig } from "#logins";
import type { Reference } from "#oci";
import { expiryOf } from "./prove-logins.ts";
import type { TargetSpec } from "./targets.ts";
import type { Draft, Seen, WhyInput } from "./why-contract.ts";
import { imagesOf } from "./why-registry.ts";

/** The login of wharf.yaml for the image; undefined where there is none, or where deliveries split several. */
export function wantedLogin(config: WharfConfig | undefined, image: string): Login | undefined {
  try {
    return config === undefined ? undefined : loginForImage(config, image);
  } catch (cause) {
    if (isAppError(cause, "LOGINS_COLLIDE")) return undefined;
    throw cause;
  }
}

/** What a program's answer means, seen from wharf.yaml. */
export function describeAnswer(
  input: WhyInput,
  seen: Seen,
  about: { readonly reference: Reference; readonly wanted: Login | undefined },
): Draft {
  const { answer, spec } = seen;
  const expected = expectedLogin(input, seen, about);
  const match = answer.kind === "login" ? answer.match : undefined;
  const ofWhom = spec.user ?? seen.of;
  const file =
    answer.kind === "login"
      ? answer.match.file
      : answer.kind === "anonymous" || answer.file === ""
        ? undefined
        : answer.file;
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
      ? `its secret expired: wharf login ${imagesOf(known)} --as ${known.name}, then wharf apply`
      : undefined;
  return {
    consumer: spec.consumer,
    place: ofWhom === undefined ? spec.at.text : `${spec.at.text} (${ofWhom})`,
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
  if (seen.failure !== undefined) return seen.failure.hint;
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
