import { describe, expect, test } from "bun:test";
import { AppError, silentLogger } from "#core";
import type { Fetch, FetchAnswer } from "#system";
import { askFollowing } from "./redirect.ts";
import { retryAfterMs, withRetries } from "./retry.ts";

const context = { signal: new AbortController().signal, log: silentLogger };

function answer(status: number, headers: Record<string, string> = {}): FetchAnswer {
  return {
    status,
    headers: new Headers(headers),
    body: new Blob([]).stream(),
    readBytes: () => Promise.resolve(new Uint8Array()),
    discard: () => Promise.resolve(),
  };
}

/** Answers by URL; notes who was shown the login. */
function scripted(locations: Record<string, string>): { fetch: Fetch; seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    fetch: (url, request) => {
      seen.push(`${request.method} ${url} ${request.headers?.authorization ?? "-"}`);
      const location = locations[url];
      return Promise.resolve(location === undefined ? answer(200) : answer(307, { location }));
    },
  };
}

function follow(fetch: Fetch, url: string, method: "GET" | "POST" = "GET") {
  const hop = { url: new URL(url), request: { method }, authorization: "Bearer t", ca: undefined };
  return askFollowing(context, fetch, hop);
}

describe("redirects", () => {
  test("within the registry the login goes along, and the last URL is told", async () => {
    const { fetch, seen } = scripted({ "https://reg.io/a": "/b", "https://reg.io/b": "c?x=1" });
    expect((await follow(fetch, "https://reg.io/a")).url).toBe("https://reg.io/c?x=1");
    expect(seen.every((line) => line.endsWith("Bearer t"))).toBeTrue();
  });

  test.each(["https://cdn.io/x", "https://reg.io:8443/x", "https://sub.reg.io/x"])(
    "to %s the login stays behind, for good (CVE-2026-50151, -48978, -49349)",
    async (elsewhere) => {
      const { fetch, seen } = scripted({ "https://reg.io/a": elsewhere, [elsewhere]: "https://reg.io/c" });
      await follow(fetch, "https://reg.io/a");
      expect(seen).toEqual(["GET https://reg.io/a Bearer t", `GET ${elsewhere} -`, "GET https://reg.io/c -"]);
    },
  );

  test("a change of scheme is a change of place too", async () => {
    const { fetch, seen } = scripted({ "http://reg.io/a": "https://reg.io/a" });
    await follow(fetch, "http://reg.io/a");
    expect(seen[1]).toBe("GET https://reg.io/a -");
  });

  test.each([
    ["out of TLS", { "https://reg.io/a": "http://reg.io/a" }],
    ["to a file", { "https://reg.io/a": "file:///etc/passwd" }],
    ["to an address with a login", { "https://reg.io/a": "https://u:p@reg.io/b" }],
    ["in a circle", { "https://reg.io/a": "/b", "https://reg.io/b": "/a" }],
  ])("%s are refused", async (_, locations) => {
    const attempt = follow(scripted(locations).fetch, "https://reg.io/a");
    await expect(attempt).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
  });

  test("a POST is not turned into a GET", async () => {
    const moved: Fetch = () => Promise.resolve(answer(302, { location: "https://reg.io/b" }));
    await expect(follow(moved, "https://reg.io/a", "POST")).rejects.toMatchObject({
      code: "REGISTRY_FAILED",
    });
  });
});

describe("attempts", () => {
  const policyOf = (waited: number[]) => ({
    attempts: 4,
    maxWaitMs: 60_000,
    now: () => 0,
    wait: (ms: number) => {
      waited.push(ms);
      return Promise.resolve();
    },
  });
  const series = (...made: (FetchAnswer | AppError)[]) => {
    let index = 0;
    return {
      count: () => index,
      attempt: (): Promise<FetchAnswer> => {
        const next = made[Math.min(index++, made.length - 1)];
        return next instanceof AppError ? Promise.reject(next) : Promise.resolve(next as FetchAnswer);
      },
    };
  };
  const cut = new AppError("UNREACHABLE", "cut", { details: { failure: "reset" } });
  const refused = new AppError("UNREACHABLE", "refused", { details: { failure: "refused" } });

  test("429 waits as long as the registry says, whatever the request", async () => {
    const waited: number[] = [];
    const { attempt } = series(answer(429, { "retry-after": "7" }), answer(429), answer(200));
    expect((await withRetries(context, policyOf(waited), false, attempt)).status).toBe(200);
    expect(waited).toEqual([7000, 1000]);
  });

  test("gives up after so many, and at once where the wait is too long", async () => {
    const waited: number[] = [];
    const { attempt, count } = series(answer(429, { "retry-after": "1" }));
    expect((await withRetries(context, policyOf(waited), true, attempt)).status).toBe(429);
    expect(count()).toBe(4);
    const hour = series(answer(429, { "retry-after": "3600" }));
    expect((await withRetries(context, policyOf([]), true, hour.attempt)).status).toBe(429);
    expect(hour.count()).toBe(1);
  });

  test("a cut connection or a 503 is tried again only where that is safe", async () => {
    for (const [isRepeatable, tries] of [
      [true, 3],
      [false, 1],
    ] as const) {
      const broken = series(cut, answer(503), answer(200));
      await withRetries(context, policyOf([]), isRepeatable, broken.attempt).catch((error) => {
        expect(error).toBe(cut);
      });
      expect(broken.count()).toBe(tries);
    }
  });

  test("a refused connection is final", async () => {
    const down = series(refused, answer(200));
    await expect(withRetries(context, policyOf([]), true, down.attempt)).rejects.toBe(refused);
    expect(down.count()).toBe(1);
  });

  test("Retry-After in both its forms", () => {
    expect(retryAfterMs("120", 0)).toBe(120_000);
    expect(retryAfterMs("Thu, 01 Jan 1970 00:01:00 GMT", 10_000)).toBe(50_000);
    expect(retryAfterMs("Thu, 01 Jan 1970 00:00:00 GMT", 10_000)).toBe(0);
    for (const text of [null, "", "soon", "-5", "1e9"]) expect(retryAfterMs(text, 0)).toBeUndefined();
  });
});
