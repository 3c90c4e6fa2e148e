/**
 * What every consumer promises, looped over all that there are. The law (design, "Contracts"): in the merged file, other people's entries
 * included, a login is used for every image it covers, and whatever else it would be used for is listed as `wider`.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Consumer,
  type ConsumerLogin,
  type FileDocument,
  findConsumer,
  isCovered,
  type Merged,
  type Target,
  type Warning,
} from "#consumers";
import { isAppError, Secret } from "#core";
import { consumerCases } from "../support/consumer-cases.ts";
import { b64, foreignFor, images, loginList } from "../support/random-files.ts";

const parameters = { seed: 20261122, numRuns: 200 };
/** Other work on the machine may make it slow; it does not make it wrong. */
const TIMEOUT_MS = 120_000;

interface Delivered {
  readonly document: FileDocument | undefined;
  readonly merged: Merged | undefined;
  readonly content: Uint8Array | undefined;
  readonly warnings: readonly Warning[];
  readonly refused: ReadonlySet<string>;
}

function deliver(
  consumer: Consumer,
  logins: readonly ConsumerLogin[],
  foreign: string | undefined,
  target: Target,
): Delivered {
  const compiled = consumer.compile(logins, target);
  const document = compiled.documents.find((candidate) => candidate.entries.length > 0);
  const before = foreign === undefined ? undefined : Buffer.from(foreign);
  const merged = document === undefined ? undefined : consumer.merge(before, document, new Set());
  const refusals = [...compiled.refusals, ...(merged?.refusals ?? [])];
  return {
    document,
    merged,
    content: merged === undefined ? before : merged.content,
    warnings: [...compiled.warnings, ...(merged?.warnings ?? [])],
    refused: new Set(refusals.map((refusal) => refusal.login)),
  };
}

function split(image: string): { registry: string; repository: string } {
  const slash = image.indexOf("/");
  return { registry: image.slice(0, slash), repository: image.slice(slash + 1) };
}

/** The login whose image this is: the longest path that covers it. */
function ownerOf(logins: readonly ConsumerLogin[], image: string): ConsumerLogin | undefined {
  const { registry, repository } = split(image);
  return logins
    .filter((login) => login.registry === registry && isCovered(login, repository))
    .sort((a, b) => (b.path?.length ?? -1) - (a.path?.length ?? -1))[0];
}

const expectedSecret = (login: ConsumerLogin): string => login.secret.reveal();

describe.each(consumerCases)("consumer %s", (_name, consumer, target) => {
  test("is found by its name, and says what it is and how it is proved", () => {
    expect(findConsumer(consumer.name)).toBe(consumer);
    expect(consumer.summary.length).toBeGreaterThan(10);
    expect(consumer.abilities.proof.length).toBeGreaterThan(10);
  });

  test(
    "the law: each login for every image it covers, all else listed as wider",
    () => {
      fc.assert(
        fc.property(loginList, foreignFor(consumer), (logins, foreign) => {
          const { document, content, warnings, refused } = deliver(consumer, logins, foreign, target);
          const delivered = logins.filter((login) => !refused.has(login.name));
          // Only what makes a whole file unsure needs no name.
          const about = (login: ConsumerLogin, kinds: readonly Warning["kind"][]): boolean =>
            warnings.some(
              ({ kind, login: named }) =>
                kinds.includes(kind) && (named === login.name || (kind === "danger" && named === undefined)),
            );
          const files = new Map<string, Uint8Array>();
          if (document !== undefined && content !== undefined) files.set(document.path, content);
          // What tells the program of the file: CRI-O's drop-in, the kubelet's list of plugins.
          for (const other of consumer.compile(logins, target).documents)
            if (other.path !== document?.path)
              files.set(other.path, consumer.merge(undefined, other, new Set()).content ?? Buffer.of());
          for (const image of images) {
            const answer = consumer.match(files, image, target);
            const owner = ownerOf(delivered, image);
            const user =
              answer.kind === "login"
                ? delivered.find(
                    (login) =>
                      login.username === answer.match.username &&
                      expectedSecret(login) === answer.match.secret.reveal(),
                  )
                : undefined;
            const context = JSON.stringify({
              image,
              owner: owner?.name,
              user: user?.name,
              answer,
              warnings,
              file: content && Buffer.from(content).toString(),
            });
            if (owner === undefined) {
              // Not ours: never with ours, unless it was said.
              if (user !== undefined && !about(user, ["wider"]))
                throw new Error(`not listed as wider: ${context}`);
            } else if (user !== owner) {
              // A key with a slash behind it cannot name the repository of exactly that name, and says so.
              const isExact =
                ["kubernetes", "kubelet", "runai"].includes(consumer.name) &&
                split(image).repository === owner.path;
              if (user !== undefined && !isExact)
                throw new Error(`another login of ours is used: ${context}`);
              if (!about(owner, isExact ? ["format", "danger", "shadowed"] : ["shadowed", "danger"]))
                throw new Error(`not used, and not said: ${context}`);
            }
          }
        }),
        parameters,
      );
    },
    TIMEOUT_MS,
  );

  test(
    "a second merge gives the same bytes, and taking ours out gives theirs back",
    () => {
      fc.assert(
        fc.property(loginList, foreignFor(consumer), (logins, foreign) => {
          const { document, merged } = deliver(consumer, logins, foreign, target);
          if (document === undefined || merged?.content === undefined) return;
          const owned = new Set(merged.changes.map((change) => change.key));
          const again = consumer.merge(merged.content, document, owned);
          expect(again.content).toBe(merged.content);
          expect(again.changes.every((change) => change.action === "keep")).toBe(true);
          const { entries: _, ...rest } = document;
          const gone = consumer.merge(merged.content, { ...rest, entries: [] }, owned);
          expect(gone.changes.every((change) => change.action === "remove")).toBe(true);
          for (const login of logins) {
            const secret = login.secret.reveal();
            const left = gone.content === undefined ? "" : Buffer.from(gone.content).toString();
            if (left.includes(secret) && !(foreign ?? "").includes(secret))
              throw new Error(`left behind: ${left}`);
          }
          const isUntouched = merged.changes.every((change) => change.action === "add");
          if (isUntouched && foreign !== undefined && /foreign-\d/.test(decoded(foreign)))
            expect(gone.content === undefined ? undefined : Buffer.from(gone.content).toString()).toBe(
              foreign,
            );
        }),
        parameters,
      );
    },
    TIMEOUT_MS,
  );

  test(
    "no secret, plain or encoded, in changes, warnings or refusals",
    () => {
      fc.assert(
        fc.property(loginList, foreignFor(consumer), (logins, foreign) => {
          const compiled = consumer.compile(logins, target);
          const { merged, warnings } = deliver(consumer, logins, foreign, target);
          const seen = JSON.stringify([compiled, merged?.changes, merged?.refusals, warnings]);
          for (const login of logins) {
            const secret = login.secret.reveal();
            if (seen.includes(secret) || seen.includes(b64(`${login.username}:${secret}`)))
              throw new Error(seen);
          }
        }),
        { ...parameters, numRuns: 100 },
      );
    },
    TIMEOUT_MS,
  );

  test(
    "bytes that are no file of its kind are refused as FILE_INVALID or merged, never anything else",
    () => {
      const [login] = [
        { name: "l", registry: "a.example", path: undefined, username: "u", secret: new Secret("canary1") },
      ];
      if (login === undefined) return;
      const document = consumer.compile([login], target).documents[0];
      if (document === undefined) throw new Error("no document");
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ maxLength: 200 }).map((text) => new TextEncoder().encode(text)),
        fc.json().map((text) => new TextEncoder().encode(text)),
        fc.tuple(foreignFor(consumer), fc.nat()).map(([text, at]) => {
          const whole = Buffer.from(text ?? "x");
          return new Uint8Array(whole.subarray(0, at % (whole.length + 1)));
        }),
      );
      fc.assert(
        fc.property(bytes, (current) => {
          try {
            const merged = consumer.merge(current, document, new Set());
            const answer = consumer.match(
              new Map([[document.path, merged.content ?? new Uint8Array()]]),
              "a.example/x",
              target,
            );
            expect(["login", "broken", "helper", "anonymous"]).toContain(answer.kind);
          } catch (error) {
            if (!isAppError(error, "FILE_INVALID")) throw error;
            expect(error.message).toContain(document.path);
          }
          consumer.match(new Map([[document.path, current]]), "a.example/x", target);
        }),
        parameters,
      );
    },
    TIMEOUT_MS,
  );
});

function decoded(foreign: string): string {
  return (
    foreign +
    foreign
      .replace(/[A-Za-z0-9+/]{16,}={0,2}/g, (text) => Buffer.from(text, "base64").toString())
      .replace(/[A-Za-z0-9+/]{16,}={0,2}/g, (text) => Buffer.from(text, "base64").toString())
  );
}
