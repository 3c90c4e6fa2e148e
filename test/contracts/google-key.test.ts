/**
 * Row A9: a key file of Google, many lines of JSON with quotes, backslashes and whatever else, is the password of `_json_key`. It goes through
 * every consumer's writer and comes out of its reader byte for byte (under Enroot as the same JSON), or is refused with what works.
 */
import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import type { ConsumerLogin } from "#consumers";
import { Secret } from "#core";
import { consumerCases } from "../support/consumer-cases.ts";

/** One line of a netrc each; all others write JSON, YAML or TOML, where any text has a place. */
const MAY_REFUSE: readonly string[] = ["enroot"];
const parameters = { seed: 20261122, numRuns: 60 };
const material = randomBytes(900)
  .toString("base64")
  .replace(/.{64}/g, (line) => `${line}\n`);
const armour = (word: string): string => `-----${word} ${["PRIVATE", "KEY"].join(" ")}-----\n`;

/** As the console's download, and as editors, Windows and people change it. */
const keyFile = fc
  .record({
    project: fc.constantFrom(
      "acme-ml",
      "acme:ml",
      "p$HOME",
      "quote'd",
      'two"',
      "back\\slash",
      "ü",
      "${x}",
      "`id`",
    ),
    note: fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => text.isWellFormed()),
    indent: fc.constantFrom<string | number | undefined>(2, 4, "\t", undefined),
    isCrlf: fc.boolean(),
    end: fc.constantFrom("", "\n", "\n\n"),
  })
  .map(({ project, note, indent, isCrlf, end }) => {
    const key = {
      type: "service_account",
      project_id: project,
      private_key_id: "0123456789abcdef",
      private_key: `${armour("BEGIN")}${material}\n${armour("END")}`,
      client_email: `pull@${project}.iam.example`,
      note,
      token_uri: "https://oauth2.example/token",
    };
    const text = JSON.stringify(key, null, indent) + end;
    return isCrlf ? text.replaceAll("\n", "\r\n") : text;
  });

function loginWith(username: string, text: string): ConsumerLogin {
  return { name: "gcr", registry: "eu.gcr.io", path: undefined, username, secret: new Secret(text) };
}

describe.each(consumerCases)("Google's key in %s", (_label, consumer, target) => {
  /** What the program would send; "refused" with a reason. */
  function delivered(login: ConsumerLogin): string {
    const { documents, refusals } = consumer.compile([login], target);
    const [refusal] = refusals;
    if (refusal !== undefined) {
      expect(refusal.reason.length).toBeGreaterThan(10);
      expect(refusal.hint).toBeString();
      expect(`${refusal.reason} ${refusal.hint}`).not.toContain("service_account");
      return "refused";
    }
    const files = new Map<string, Uint8Array>();
    for (const document of documents) {
      const merged = consumer.merge(undefined, document, new Set());
      if (merged.content === undefined) continue;
      files.set(document.path, merged.content);
      const owned = new Set(merged.changes.map(({ key }) => key));
      // As the same again: nothing of it was lost on the way.
      expect(consumer.merge(merged.content, document, owned).content).toBe(merged.content);
    }
    const answer = consumer.match(files, "eu.gcr.io/acme-ml/app:1", target);
    if (answer.kind !== "login") throw new Error(`not used: ${JSON.stringify(answer)}`);
    expect(answer.match.username).toBe(login.username);
    return answer.match.secret.reveal();
  }

  test("whole as it is, or refused with what works", () => {
    fc.assert(
      fc.property(keyFile, (text) => {
        const sent = delivered(loginWith("_json_key", text));
        if (!MAY_REFUSE.includes(consumer.name)) expect(sent).toBe(text);
        else if (sent !== "refused") expect(JSON.parse(sent)).toEqual(JSON.parse(text));
      }),
      parameters,
    );
  }, 60_000);

  test("in base64 it goes everywhere", () => {
    fc.assert(
      fc.property(keyFile, (text) => {
        const encoded = Buffer.from(text).toString("base64");
        expect(delivered(loginWith("_json_key_base64", encoded))).toBe(encoded);
      }),
      parameters,
    );
  }, 60_000);
});
