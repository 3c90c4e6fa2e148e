/**
 * Our readers against the programs' own libraries (test/readers): for random logins merged into random files of other people both must
 * find the same login for every image. Where ours says that a file is broken, or that chance decides, the library fails or varies.
 */
import { afterAll, beforeAll, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { type Consumer, type ConsumerLogin, findConsumer, type MatchAnswer, type Target } from "#consumers";
import { needs, programPath } from "../support/programs.ts";
import { foreignFor, images, loginList } from "../support/random-files.ts";
import { mustRun } from "../support/run-program.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";

const SLOW_MS = 600_000;
const withReaders = needs("readers");
const target: Target = { home: "/home/u", user: "u", uid: 1000, env: {} };
const CASES = 120;
/** A repository of each sort; each is asked for many times. */
const asked = images.filter((image) => /nginx|team\/app\/sub|team-b|tokens|auth\.|:443/.test(image));

let scratch: Scratch;

/** Helpers as they are: by host they have a login, by repository none. */
beforeAll(() => {
  scratch = createScratch("libraries");
  for (const helper of ["pass", "theirs"])
    writeFileSync(
      scratch.at(`docker-credential-${helper}`),
      `#!/bin/sh
read -r url
case $url in
  https://*) ;;
  */*) echo 'credentials not found in native keychain'; exit 1 ;;
esac
printf '{"ServerURL":"%s","Username":"helper","Secret":"%s"}' "$url" "\${0##*/}"
`,
      { mode: 0o755 },
    );
});
afterAll(() => scratch.remove());

/** What a library says of one image. */
interface LibraryAnswer {
  readonly kind: "login" | "none" | "error" | "varies";
  readonly username?: string;
  readonly secret?: string;
  readonly identityToken?: boolean;
  readonly why?: string;
  readonly auth?: string;
  readonly token?: string;
}

/** Files as they are after ours were merged in; and as they were, where nothing of ours came in. */
function filesOf(consumer: Consumer): readonly string[] {
  const cases = fc.sample(fc.tuple(loginList, foreignFor(consumer)), { seed: 20261122, numRuns: CASES });
  return [...new Set(cases.flatMap(([logins, foreign]) => merged(consumer, logins, foreign)))];
}

function merged(
  consumer: Consumer,
  logins: readonly ConsumerLogin[],
  foreign: string | undefined,
): readonly string[] {
  const before = foreign === undefined ? undefined : Buffer.from(foreign);
  const document = consumer.compile(logins, target).documents.find(({ entries }) => entries.length > 0);
  const content = document === undefined ? before : consumer.merge(before, document, new Set()).content;
  return content === undefined ? [] : [Buffer.from(content).toString()];
}

async function askLibrary(
  reader: string,
  files: readonly string[],
  ask: { readonly images: readonly string[]; readonly readings: (file: string) => readonly number[] },
): Promise<readonly (readonly LibraryAnswer[])[]> {
  const input = files
    .map((file) => `${JSON.stringify({ reader, file, images: ask.images, readings: ask.readings(file) })}\n`)
    .join("");
  // Only those credential helpers that stand in the files.
  const out = await mustRun([programPath("readers"), "ask"], {
    input,
    env: { PATH: scratch.path },
    timeoutMs: SLOW_MS,
  });
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as readonly LibraryAnswer[]);
}

function consumerOf(name: string): Consumer {
  const consumer = findConsumer(name);
  if (consumer === undefined) throw new Error(`no consumer ${name}`);
  return consumer;
}

function pathOf(consumer: Consumer): string {
  const [path] = consumer.files(target);
  if (path === undefined) throw new Error("it reads no file");
  return path;
}

/** In the library's words. */
function said(answer: MatchAnswer): Omit<LibraryAnswer, "why"> | "fails" {
  if (answer.kind === "anonymous") return { kind: "none" };
  if (answer.kind === "broken") return "fails";
  if (answer.kind === "helper")
    return { kind: "login", username: "helper", secret: `docker-credential-${answer.helper}` };
  const { username, secret, identityToken } = answer.match;
  return { kind: "login", username, secret: secret.reveal(), identityToken };
}

function isSame(ours: ReturnType<typeof said>, theirs: LibraryAnswer): boolean {
  if (ours === "fails") return theirs.kind === "error" || theirs.kind === "varies";
  return (
    ours.kind === theirs.kind &&
    (ours.username ?? "") === (theirs.username ?? "") &&
    (ours.secret ?? "") === (theirs.secret ?? "") &&
    (ours.identityToken ?? false) === (theirs.identityToken ?? false)
  );
}

for (const name of ["docker", "podman", "apptainer"]) {
  withReaders(
    `${name}: its library finds what our reader finds`,
    async () => {
      const consumer = consumerOf(name);
      const path = pathOf(consumer);
      const files = filesOf(consumer);
      const ours = (file: string, image: string): ReturnType<typeof said> =>
        said(consumer.match(new Map([[path, Buffer.from(file)]]), image, target));
      const answers = await askLibrary(name, files, {
        images: asked,
        // Where chance decides, it has to be seen.
        readings: (file) => asked.map((image) => (ours(file, image) === "fails" ? 150 : 5)),
      });
      expect(answers).toHaveLength(files.length);
      const kinds = new Set<string>();
      for (const [index, file] of files.entries())
        for (const [at, image] of asked.entries()) {
          const theirs = answers[index]?.[at];
          const own = ours(file, image);
          kinds.add(theirs?.kind ?? "");
          if (theirs === undefined || !isSame(own, theirs))
            throw new Error(JSON.stringify({ image, ours: own, theirs, file }));
        }
      // Answers of all sorts came up: the comparison compared something.
      expect(["login", "none", "error"].filter((kind) => !kinds.has(kind))).toEqual([]);
    },
    SLOW_MS,
  );
}

withReaders(
  "k3s and rke2: what their library hands to containerd is what our reader finds",
  async () => {
    const containerd = consumerOf("containerd");
    const hosts = ["a.example", "a.example:5000", "b.example", "registry-1.docker.io", "docker.io"];
    for (const name of ["k3s", "rke2"]) {
      const consumer = consumerOf(name);
      const path = pathOf(consumer);
      const files = filesOf(consumer);
      const answers = await askLibrary("k3s", files, { images: hosts, readings: () => hosts.map(() => 0) });
      expect(answers).toHaveLength(files.length);
      const kinds = new Set<string>();
      for (const [index, file] of files.entries())
        for (const image of asked) {
          const own = said(consumer.match(new Map([[path, Buffer.from(file)]]), image, target));
          const handed = answers[index] ?? [];
          const config = new Map([["/etc/containerd/config.toml", Buffer.from(configOf(hosts, handed))]]);
          const isRead = handed.every(({ kind }) => kind !== "error");
          const theirs = isRead ? said(containerd.match(config, image, target)) : "fails";
          kinds.add(theirs === "fails" ? theirs : theirs.kind);
          if (JSON.stringify(own) !== JSON.stringify(theirs))
            throw new Error(JSON.stringify({ name, image, ours: own, theirs, file }));
        }
      expect(["login", "none", "fails"].filter((kind) => !kinds.has(kind))).toEqual([]);
    }
  },
  SLOW_MS,
);

/** The configuration that they write for containerd; newer versions put what stands under docker.io where Hub is served from. */
function configOf(hosts: readonly string[], handed: readonly LibraryAnswer[]): string {
  const entries = new Map(hosts.map((host, index) => [host, handed[index]]));
  const hub = entries.get("registry-1.docker.io");
  if (hub?.kind !== "login") entries.set("registry-1.docker.io", entries.get("docker.io"));
  const tables = [...entries].flatMap(([host, one]) =>
    one?.kind !== "login"
      ? []
      : [
          `[plugins."io.containerd.grpc.v1.cri".registry.configs.${JSON.stringify(host)}.auth]`,
          ...Object.entries({
            username: one.username,
            password: one.secret,
            auth: one.auth,
            identitytoken: one.token,
          }).map(([key, value]) => `${key} = ${JSON.stringify(value ?? "")}`),
        ],
  );
  return `version = 2\n${tables.join("\n")}\n`;
}
