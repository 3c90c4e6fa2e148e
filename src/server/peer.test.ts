import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseNetworkList } from "./options/network-list.ts";
import { readForwardedPeer } from "./peer.ts";

const trusted = parseNetworkList(["10.0.0.0/8"]);
const peer = (address: string, headers: Record<string, string>) =>
  readForwardedPeer({ address, secure: false }, new Headers(headers), trusted, undefined);

test("forwarded headers from anybody but a trusted proxy are ignored", () => {
  expect(
    peer("192.0.2.9", {
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example.org",
    }),
  ).toEqual({ address: "192.0.2.9", secure: false });
});

test("a trusted proxy says who, how and by which name", () => {
  expect(
    peer("10.0.0.1", {
      "x-forwarded-for": "203.0.113.5",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "registry.example.org:8443",
    }),
  ).toEqual({ address: "203.0.113.5", secure: true, origin: "https://registry.example.org:8443" });
});

test("the client is the last address that is no proxy of ours, whatever it claimed itself", () => {
  expect(peer("10.0.0.1", { "x-forwarded-for": "127.0.0.1, 203.0.113.5, 10.0.0.2" }).address).toBe(
    "203.0.113.5",
  );
  expect(peer("10.0.0.1", { "x-forwarded-for": "10.0.0.3, 10.0.0.2" }).address).toBe("10.0.0.3");
  expect(peer("10.0.0.1", { "x-forwarded-for": "203.0.113.5, unknown" }).address).toBe("10.0.0.1");
  expect(peer("10.0.0.1", { "x-forwarded-for": "203.0.113.5:4711" }).address).toBe("203.0.113.5");
  expect(peer("10.0.0.1", { "x-forwarded-for": "[2001:db8::1]:4711" }).address).toBe("2001:db8::1");
  expect(peer("10.0.0.1", {}).address).toBe("10.0.0.1");
});

test("a host that is none, or a scheme that is none, is not passed on", () => {
  expect(peer("10.0.0.1", { "x-forwarded-host": "a/b", "x-forwarded-proto": "javascript" })).toEqual({
    address: "10.0.0.1",
    secure: false,
  });
});

test("no header makes it throw or name an address that is none", () => {
  const value = fc.string().filter((text) => !/[^\t\u0020-\u007e]/.test(text));
  fc.assert(
    fc.property(value, value, (forwardedFor, host) => {
      const found = peer("10.0.0.1", { "x-forwarded-for": forwardedFor, "x-forwarded-host": host });
      expect(found.address).toMatch(/^[0-9a-fA-F.:]+$/);
      if (found.origin !== undefined) expect(new URL(found.origin).pathname).toBe("/");
    }),
    { seed: 3 },
  );
});

test("a proxy that does not say which host was called: --url says it, to nobody but its clients", () => {
  const url = "https://registry.example.org";
  const from = (address: string, headers: Record<string, string> = {}) =>
    readForwardedPeer({ address, secure: false }, new Headers(headers), trusted, url).origin;
  expect(from("10.0.0.1")).toBe(url);
  expect(from("10.0.0.1", { "x-forwarded-host": "other.example.org", "x-forwarded-proto": "https" })).toBe(
    "https://other.example.org",
  );
  expect(from("192.0.2.9")).toBeUndefined();
});
