import { loginForImage } from "#keychain";
import { createSecretReader, type Login } from "#logins";
import type { ProgramCall } from "./contract.ts";
import { type KubeletLogin, parseKubeletRequest, renderKubeletResponse } from "./kubelet-request.ts";
import { readProgramConfig } from "./program-config.ts";

/** A request holds an image's name, and at most a service account's token. */
const MAX_INPUT_BYTES = 1024 * 1024;
/** As long as the kubelet keeps its own node file: a rotated secret is used after this. */
const CACHE_SECONDS = 300;

/**
 * Answers one request of the kubelet's credential-provider API: gives what goes to standard output. The login is the one of wharf.yaml
 * with the longest path that covers the image. An ended login, and an identity token, is not given: the kubelet never pulls without a
 * login once it was given one. Throws AppError.
 */
export async function answerKubelet(call: ProgramCall, now: Date = new Date()): Promise<string> {
  const request = parseKubeletRequest(new TextDecoder().decode(await call.readInput(MAX_INPUT_BYTES)));
  const config = await readProgramConfig(call.surroundings);
  const login = config === undefined ? undefined : loginForImage(config, request.image);
  if (config === undefined || login === undefined || !isUsable(call, login, now))
    return renderKubeletResponse(request, undefined);
  const secret = await createSecretReader(call.context, call.surroundings, config).read(login);
  const answer: KubeletLogin = {
    username: login.username,
    password: secret.reveal(),
    cacheSeconds: cacheSecondsOf(login, now),
  };
  return renderKubeletResponse(request, answer);
}

function isUsable(call: ProgramCall, login: Login, now: Date): boolean {
  if (login.identityToken) {
    call.note(`login ${login.name} is an identity token, which the kubelet cannot use`);
    return false;
  }
  if (login.expires !== undefined && login.expires <= now) {
    call.note(`login ${login.name} ended on ${login.expires.toISOString().slice(0, 10)} and is not given`);
    return false;
  }
  return true;
}

/** Never past the login's end. */
function cacheSecondsOf(login: Login, now: Date): number {
  if (login.expires === undefined) return CACHE_SECONDS;
  return Math.min(CACHE_SECONDS, Math.floor((login.expires.getTime() - now.getTime()) / 1000));
}
