import { expect, test } from "bun:test";
import fc from "fast-check";
import { chooseProxy, isLoopbackHost } from "./proxy-environment.ts";

const proxy = "http://proxy.example.org:3128";
const asked = (url: string, noProxy: string): boolean =>
  chooseProxy(new URL(url), { HTTPS_PROXY: proxy, http_proxy: proxy, NO_PROXY: noProxy }) !== undefined;

test("the scheme chooses the variable, in either case", () => {
  expect(chooseProxy(new URL("https://reg.io/"), { https_proxy: "p:1" })).toBe("http://p:1/");
  expect(chooseProxy(new URL("http://reg.io/"), { HTTPS_PROXY: proxy })).toBeUndefined();
  expect(chooseProxy(new URL("http://reg.io/"), {})).toBeUndefined();
});

test.each([
  ["https://reg.io/", "", true],
  ["https://reg.io/", "*", false],
  ["https://reg.io/", "reg.io", false],
  ["https://a.reg.io/", "reg.io", false],
  ["https://a.reg.io/", ".reg.io", false],
  ["https://reg.io/", ".reg.io", true],
  ["https://a.reg.io/", "*.reg.io", false],
  ["https://xreg.io/", "reg.io", true],
  ["https://REG.io/", "other, Reg.IO", false],
  ["https://reg.io/", "reg.io:5000", true],
  ["https://reg.io:5000/", "reg.io:5000", false],
  ["https://reg.io/", "reg.io:443", false],
  ["http://10.1.2.3/", "10.0.0.0/8", false],
  ["http://11.1.2.3/", "10.0.0.0/8", true],
  ["http://10.1.2.3:80/", "10.1.2.3", false],
  ["http://10.1.2.3:81/", "10.1.2.3:80", true],
  ["https://[fd00::5]/", "fd00::/8", false],
  ["https://[fd00::5]:443/", "[fd00::5]:443", false],
  ["https://reg.io/", "10.0.0.0/99,/,x/y", true],
  ["https://localhost/", "", false],
  ["https://127.8.9.1/", "", false],
  ["https://[::1]/", "", false],
])("%s with NO_PROXY=%j goes through the proxy: %p", (url, noProxy, through) => {
  expect(asked(url, noProxy)).toBe(through);
});

test("a proxy that cannot be used is refused, and its password not repeated", () => {
  for (const value of ["socks5://u:hunter2@p:1", "http://u:hunter2@:x"]) {
    try {
      chooseProxy(new URL("https://reg.io/"), { HTTPS_PROXY: value });
      throw new Error("was accepted");
    } catch (error) {
      expect(error).toMatchObject({ code: "CONFIG_INVALID" });
      expect(String(error)).not.toContain("hunter2");
    }
  }
});

test("any NO_PROXY is read, and a host named in it is direct", () => {
  fc.assert(
    fc.property(fc.string(), fc.domain(), (noise, host) => {
      expect(typeof asked(`https://${host}/`, noise)).toBe("boolean");
      expect(asked(`https://${host}/`, `${noise},${host}`)).toBeFalse();
      expect(asked(`https://below.${host}/`, `${noise} ${host}`)).toBeFalse();
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("what this machine is called", () => {
  for (const host of ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.255.0.1", "::1", "[::1]"])
    expect(isLoopbackHost(host)).toBeTrue();
  for (const host of ["localhost.example.org", "128.0.0.1", "::2", "127.0.0.1.example.org", ""])
    expect(isLoopbackHost(host)).toBeFalse();
});
