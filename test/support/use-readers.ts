import { afterAll, beforeAll } from "bun:test";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Consumer, findConsumer, type MatchAnswer, type Target } from "#consumers";
import { programPath } from "./programs.ts";
import { runProgram } from "./run-program.ts";
import { createScratch, type Scratch } from "./scratch.ts";
import { type Shown, startTokenRecorder, type TokenRecorder } from "./token-recorder.ts";

/** A scripted registry, and a home in which our readers and the real programs find the same files. */
export interface Readers {
  readonly scratch: Scratch;
  readonly registry: TokenRecorder;
  /** Another, whose tokens are given under the name localhost. */
  readonly elsewhere: TokenRecorder;
  /** An empty home with these files (`~/` in `env` is the home), and the target that describes it. */
  readonly home: (files: Readonly<Record<string, string>>, env?: Readonly<Record<string, string>>) => Target;
  /** What a consumer of ours says that its program would use there. */
  readonly answerOf: (name: string, target: Target, image: string) => Promise<MatchAnswer>;
  /** HOST in a text stands for the registry: tables are made before it has a port. */
  readonly hosted: (text: string) => string;
  /** What the real programs send for a token of an image; empty when they give up before. */
  readonly sentByDocker: (target: Target, image: string) => Promise<readonly Shown[]>;
  readonly sentBySkopeo: (target: Target, image: string) => Promise<readonly Shown[]>;
}

/** Call it once, outside of tests. */
export function useReaders(): Readers {
  let scratch: Scratch | undefined;
  let recorders: readonly [TokenRecorder, TokenRecorder] | undefined;
  beforeAll(() => {
    scratch = createScratch("readers");
    recorders = [startTokenRecorder(), startTokenRecorder({ realmHost: "localhost" })];
    writeHelper(scratch, recorders[0].host);
  });
  afterAll(async () => {
    for (const recorder of recorders ?? []) await recorder.stop();
    scratch?.remove();
  });
  const at = (): Scratch => present(scratch);
  const registry = (): TokenRecorder => present(recorders)[0];
  const sent = async (command: readonly string[], target: Target): Promise<readonly Shown[]> => {
    const path = `${at().at("bin")}:/usr/bin:/bin`;
    registry().take();
    await runProgram(command, { env: { ...target.env, HOME: target.home, PATH: path }, timeoutMs: 30_000 });
    return registry().take();
  };
  return {
    get scratch() {
      return at();
    },
    get registry() {
      return registry();
    },
    get elsewhere() {
      return present(recorders)[1];
    },
    home: (files, env = {}) => writeHome(at(), files, env),
    async answerOf(name, target, image) {
      const found = new Map<string, Uint8Array>();
      for (const path of consumer(name).files(target)) {
        const file = Bun.file(path);
        if (await file.exists()) found.set(path, await file.bytes());
      }
      return consumer(name).match(found, image, target);
    },
    hosted: (text) => text.replaceAll("HOST", registry().host),
    sentByDocker: (target, image) =>
      sent([programPath("docker"), "manifest", "inspect", "--insecure", image], target),
    sentBySkopeo: (target, image) =>
      sent([programPath("skopeo"), "inspect", "--raw", "--tls-verify=false", `docker://${image}`], target),
  };
}

export const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** An entry of a config.json, of `username:secret`. */
export const entry = (pair: string): object => ({ auth: base64(pair) });

export function consumer(name: string): Consumer {
  return present(findConsumer(name));
}

/** What an answer means on the wire. */
export function expected(answer: MatchAnswer): Shown | "broken" {
  if (answer.kind === "anonymous") return { kind: "anonymous" };
  if (answer.kind === "broken") return "broken";
  if (answer.kind === "helper") return { kind: "basic", username: "from-helper", secret: "helper-word" };
  const { username, secret, identityToken } = answer.match;
  return identityToken
    ? { kind: "identity", secret: secret.reveal() }
    : { kind: "basic", username, secret: secret.reveal() };
}

/** What docker's and podman's helper protocol asks for; it knows one host alone. */
function writeHelper(scratch: Scratch, host: string): void {
  const path = scratch.at("bin/docker-credential-scripted");
  mkdirSync(dirname(path));
  writeFileSync(
    path,
    `#!/bin/sh
read -r host
case "$1:$host" in
get:${host}) printf '{"ServerURL":"%s","Username":"from-helper","Secret":"helper-word"}' "$host" ;;
*) printf 'credentials not found in native keychain'; exit 1 ;;
esac
`,
  );
  chmodSync(path, 0o755);
}

function writeHome(
  scratch: Scratch,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
): Target {
  const home = scratch.at("home");
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home);
  for (const [name, text] of Object.entries(files)) {
    const path = scratch.at("home", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o600 });
  }
  const all = Object.fromEntries(
    Object.entries({ XDG_RUNTIME_DIR: "~/run", ...env }).map(([name, value]) => [
      name,
      value.replace("~", home),
    ]),
  );
  return { home, user: "u", uid: process.getuid?.() ?? 0, env: all, version: "28.2.2" };
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("it is not there, or not yet");
  return value;
}
