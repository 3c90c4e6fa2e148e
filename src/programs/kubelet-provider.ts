import { isAbsolute } from "node:path";
import { AppError } from "#core";
import { ANONYMOUS, createAuthFileKeychain, loginForImage } from "#keychain";
import { createSecretReader, type Login } from "#logins";
import type { ProgramCall } from "./contract.ts";
import { type KubeletLogin, parseKubeletRequest, renderKubeletResponse } from "./kubelet-request.ts";
import { readProgramConfig } from "./program-config.ts";

/** A request holds an image's name, and at most a service account's token. */
const MAX_INPUT_BYTES = 1024 * 1024;
/** As long as the kubelet keeps its own node file: a rotated secret is used after this. */
const CACHE_SECONDS = 300;

/** Names the file that a delivery to `kubelet-plugin` writes. */
const LOGINS_VARIABLE = "WHARF_KUBELET_LOGINS";

/**
 * Answers one request of the kubelet's credential-provider API: gives what goes to standard output. The login is the one of wharf.yaml, or
 * of the file that WHARF_KUBELET_LOGINS names, with the longest path that covers the image. An ended login, and an identity token, is not given: the kubelet never pulls without a
 * login once it was given one. Throws AppError.
 */
export async function answerKubelet(call: ProgramCall, now: Date = new Date()): Promise<string> {
  const request = parseKubeletRequest(new TextDecoder().decode(await call.readInput(MAX_INPUT_BYTES)));
  const named = call.surroundings.env[LOGINS_VARIABLE] ?? "";
  if (named !== "") return renderKubeletResponse(request, await findDelivered(call, named, request.image));
  const config = await readProgramConfig(call.surroundings);
  const login = config === undefined ? undefined : loginForImage(config, request.image);
  if (config === undefined || login === undefined || !isUsable(call, login, now))
    return renderKubeletResponse(request, undefined);
  const secrets = createSecretReader(call.context, call.surroundings, config);
  const secret = await secrets.read(login);
  const answer: KubeletLogin = {
    username: login.username,
    password: secret.reveal(),
    cacheSeconds: cacheSecondsOf(await secrets.readExpires(login), now),
  };
  return renderKubeletResponse(request, answer);
}

/** The delivered login for an image; undefined where there is none. */
async function findDelivered(
  call: ProgramCall,
  file: string,
  image: string,
): Promise<KubeletLogin | undefined> {
  if (!isAbsolute(file))
    throw new AppError("CONFIG_INVALID", `${LOGINS_VARIABLE} is no absolute path`, {
      hint: "the kubelet starts this program in a folder of its own: write the whole path",
    });
  const login = await createAuthFileKeychain(file).find(call.context, image);
  if (login === ANONYMOUS) return undefined;
  if (!login.identityToken)
    return {
      username: login.username,
      password: login.secret.reveal(),
      cacheSeconds: CACHE_SECONDS,
    };
  call.note(`${login.from} is an identity token, which the kubelet cannot use`);
  return undefined;
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

/** Never past the secret's end. */
function cacheSecondsOf(expires: Date | undefined, now: Date): number {
  if (expires === undefined) return CACHE_SECONDS;
  return Math.min(CACHE_SECONDS, Math.floor((expires.getTime() - now.getTime()) / 1000));
}
