import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError, silentLogger } from "#core";
import type { CommandResult, Place } from "#places";
import { createCurlFetch, parseCurlAnswer, renderCurlConfig } from "./curl-fetch.ts";

const signal = new AbortController().signal;
const context = { signal, log: silentLogger };
const how = { caPath: undefined, userAgent: "wharf/test" };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Reads a value as curl does: inside quotes, backslash before the next character. */
function readConfig(text: string): readonly (readonly [string, string | undefined])[] {
  const named: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", v: "\v" };
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => {
      const [, name = "", , value] = /^([a-z-]+)( = "(.*)")?$/.exec(line) ?? [];
      return [name, value?.replaceAll(/\\(.)/g, (_, char: string) => named[char] ?? char)] as const;
    });
}

test("whatever a header or body holds, each line of the configuration is one option, and is read back", () => {
  const text = fc.string({ unit: "binary" }).filter((one) => !one.includes("\0"));
  fc.assert(
    fc.property(text, text, (header, body) => {
      const request = { method: "POST", headers: { Authorization: header }, body } as const;
      const config = readConfig(renderCurlConfig("https://r.example/v2/", request, how));
      expect(config).toContainEqual(["header", `Authorization: ${header}`]);
      expect(config).toContainEqual(["data-raw", body]);
      expect(config.filter(([name]) => name === "")).toEqual([]);
      expect(config).toHaveLength(11);
    }),
    { seed: 8, numRuns: 300 },
  );
});

test("the last answer counts, with its headers and bytes", async () => {
  const way = "HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
  const answer = parseCurlAnswer(
    bytes(
      `${way}HTTP/2 401 \r\nwww-authenticate: Basic realm="x"\r\nX-A: 1\r\nX-A: 2\r\n\r\n{"a":\r\n\r\n1}`,
    ),
    "r.example",
  );
  expect([answer.status, answer.headers.get("www-authenticate"), answer.headers.get("x-a")]).toEqual([
    401,
    'Basic realm="x"',
    "1, 2",
  ]);
  expect(new TextDecoder().decode(await answer.readBytes(100))).toBe('{"a":\r\n\r\n1}');
  expect(answer.readBytes(3)).rejects.toThrow("more than 3 bytes");
});

test("whatever curl prints, it is an answer or an error of ours", () => {
  const piece = fc.constantFrom(
    "HTTP/1.1 200 OK",
    "\r\n",
    "\r\n\r\n",
    "a: b",
    ": x",
    "\u00e9\u0000: \u0001",
    "HTTP/",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }), (pieces) => {
      try {
        expect(parseCurlAnswer(bytes(pieces.join("")), "r.example").status).toBe(200);
      } catch (cause) {
        if (!isAppError(cause, "REGISTRY_FAILED")) throw cause;
      }
    }),
    { seed: 2, numRuns: 500 },
  );
});

test.each([
  [6, "UNREACHABLE"],
  [7, "UNREACHABLE"],
  [28, "UNREACHABLE"],
  [35, "TLS_FAILED"],
  [60, "TLS_FAILED"],
  [99, "UNREACHABLE"],
])("curl's exit code %d is %s", async (exitCode, code) => {
  const result: CommandResult = { exitCode, stdout: new Uint8Array(), stderr: "" };
  const place = { name: "ssh://n1", run: () => Promise.resolve(result) } as unknown as Place;
  const asked = createCurlFetch(context, place, undefined, "wharf/test")("https://r.example/v2/", { signal });
  await expect(asked).rejects.toMatchObject({ code });
});

test("no curl there is said, with the place", async () => {
  const place = { name: "ssh://n1", run: () => Promise.resolve(undefined) } as unknown as Place;
  const asked = createCurlFetch(context, place, undefined, "wharf/test")("https://r.example/v2/", { signal });
  await expect(asked).rejects.toThrow("there is no curl at ssh://n1");
});
