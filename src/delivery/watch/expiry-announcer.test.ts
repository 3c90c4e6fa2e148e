import { expect, test } from "bun:test";
import { AppError, type Context, silentLogger } from "#core";
import type { Login } from "#logins";
import type { Cluster, ClusterEvent } from "#places";
import type { DeliveredRecord } from "../contract.ts";
import { type Announcing, ExpiryAnnouncer } from "./expiry-announcer.ts";

const END = new Date("2031-05-01T00:00:00Z");
const HOUR = 3600_000;

/** What is announced into namespaces n0 to n2, each with a Secret that holds one login under two keys. */
function scripted(answer: (path: string) => boolean | AppError) {
  const said: { path: string; event: ClusterEvent }[] = [];
  const warned: string[] = [];
  const context: Context = {
    signal: new AbortController().signal,
    log: { ...silentLogger, warn: (message) => void warned.push(message) },
  };
  const announce: Cluster["announce"] = async (_context, path, event) => {
    said.push({ path, event });
    const found = answer(path);
    if (found instanceof AppError) throw found;
    return found;
  };
  const recordOf = (namespace: string, key: string): DeliveredRecord => ({
    place: "k8s://test",
    user: undefined,
    consumer: "kubernetes",
    file: `/namespaces/${namespace}/secrets/pulls`,
    key,
    login: "a",
    images: "a.example",
    mark: "",
    time: "",
  });
  const about = (
    now: number,
    scope: Announcing["scope"] = "all",
    namespaces = ["n0", "n1", "n2"],
  ): Announcing => ({
    cluster: { announce } as unknown as Cluster,
    config: { logins: new Map([["a", { expires: END } as Login]]) } as unknown as Announcing["config"],
    records: namespaces.flatMap((name) => [recordOf(name, "a.example"), recordOf(name, "b.example")]),
    scope,
    now: new Date(now),
    reporter: "wharf-1",
  });
  return { said, warned, context, about };
}

test("each Secret once, again after an hour with its count, and anew when what went comes back", async () => {
  const { said, warned, context, about } = scripted(() => true);
  const announcer = new ExpiryAnnouncer();
  const soon = END.getTime() - 10 * 24 * HOUR;
  expect(await announcer.announce(context, about(soon - 5 * 24 * HOUR))).toBe(0);
  expect(await announcer.announce(context, about(soon))).toBe(3);
  expect(await announcer.announce(context, about(soon + HOUR - 1))).toBe(0);
  expect(await announcer.announce(context, about(soon + HOUR))).toBe(3);
  expect(said.map(({ event }) => event.count)).toEqual([1, 1, 1, 2, 2, 2]);
  // n2 went, which a look at all of them tells; one at n0 alone does not.
  expect(await announcer.announce(context, about(soon + HOUR, new Set(["n0"]), ["n0"]))).toBe(0);
  expect(await announcer.announce(context, about(soon + HOUR, "all", ["n0", "n1"]))).toBe(0);
  expect(await announcer.announce(context, about(soon + HOUR))).toBe(1);
  expect(await announcer.announce(context, about(END.getTime()))).toBe(3);
  expect(said.slice(-3).map(({ event }) => [event.reason, event.count])).toEqual([
    ["LoginExpired", 1],
    ["LoginExpired", 1],
    ["LoginExpired", 1],
  ]);
  expect(warned).toEqual([]);
});

test("what may not be said is warned of once and tried in an hour; what failed is tried with the next look", async () => {
  const fault = (code: "DENIED" | "UNREACHABLE" | "NOT_FOUND"): AppError => new AppError(code, "no");
  const now = END.getTime();
  const denied = scripted((path) => (path.includes("n1") ? fault("DENIED") : true));
  const announcer = new ExpiryAnnouncer();
  expect(await announcer.announce(denied.context, denied.about(now))).toBe(2);
  expect(await announcer.announce(denied.context, denied.about(now + 1))).toBe(0);
  expect(await announcer.announce(denied.context, denied.about(now + HOUR))).toBe(2);
  expect([denied.said.length, denied.warned.length]).toEqual([6, 1]);

  const broken = scripted(() => fault("UNREACHABLE"));
  const second = new ExpiryAnnouncer();
  expect(await second.announce(broken.context, broken.about(now))).toBe(0);
  expect(await second.announce(broken.context, broken.about(now + 1))).toBe(0);
  expect([broken.said.length, broken.warned.length]).toEqual([6, 2]);

  const gone = scripted(() => fault("NOT_FOUND"));
  expect(await new ExpiryAnnouncer().announce(gone.context, gone.about(now))).toBe(0);
  expect(gone.warned).toEqual([]);
});
