import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { MAX_HOSTS, parseHostList } from "./host-list.ts";
import { parseConfig } from "./parse-config.ts";
import { parseSshAddresses } from "./ssh-address.ts";

// The forms of slurm.conf(5), NodeName.
test.each([
  ["gpu1", ["gpu1"]],
  ["gpu[01-03,70]", ["gpu01", "gpu02", "gpu03", "gpu70"]],
  ["gpu[8-11]", ["gpu8", "gpu9", "gpu10", "gpu11"]],
  ["gpu[08-11]", ["gpu08", "gpu09", "gpu10", "gpu11"]],
  ["r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]],
  ["login1,gpu[1-2].cluster.example", ["login1", "gpu1.cluster.example", "gpu2.cluster.example"]],
  ["a,a,a[]".slice(0, 3), ["a"]],
])("%s", (text, hosts) => {
  expect(parseHostList(text)).toEqual(hosts);
});

test.each([
  "",
  ",",
  "gpu[",
  "gpu]",
  "gpu[[1]]",
  "gpu[]",
  "gpu[2-1]",
  "gpu[1-]",
  "gpu[a-b]",
  "-oProxyCommand=x",
  "gpu 1",
  "gpu;id",
  "gpu$(id)",
  "gpu\nx",
  "gpu[1-99999]",
  "a[1-999]b[1-999]",
  "a[1-9999999999999]",
])("%p is refused", (text) => {
  expect(codeOf(() => parseHostList(text))).toBe("INVALID_INPUT");
});

test("whatever is written: names that ssh takes for names, bounded, or a refusal", () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[a-z]{1,3}(\[[0-9]{1,3}-[0-9]{1,4}(,[0-9]{1,2})?\])?(,[a-z[\]0-9-]{1,8})?$/),
  );
  fc.assert(
    fc.property(text, (written) => {
      try {
        const hosts = parseHostList(written);
        expect(hosts.length).toBeLessThanOrEqual(MAX_HOSTS);
        expect(new Set(hosts).size).toBe(hosts.length);
        for (const host of hosts) expect(host).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/);
      } catch (cause) {
        if (!isAppError(cause, "INVALID_INPUT")) throw cause;
      }
    }),
    { seed: 20261122, numRuns: 500 },
  );
});

test("user, port, sudo and IPv6; each host has one spelling, which reads back as itself", () => {
  expect(parseSshAddresses("ssh://root@gpu[1-2]:2222?sudo")).toEqual([
    { host: "gpu1", user: "root", port: 2222, sudo: true, text: "ssh://root@gpu1:2222?sudo" },
    { host: "gpu2", user: "root", port: 2222, sudo: true, text: "ssh://root@gpu2:2222?sudo" },
  ]);
  const [six] = parseSshAddresses("ssh://[fe80::1]:22");
  expect(six).toMatchObject({ host: "fe80::1", port: 22, text: "ssh://[fe80::1]:22" });
  for (const text of ["ssh://root@gpu1:2222?sudo", "ssh://[::1]", "ssh://a.b"])
    expect(parseSshAddresses(text).map((one) => one.text)).toEqual([text]);
});

test.each([
  "ssh://",
  "ssh://@h",
  "ssh://-l@h",
  "ssh://u;id@h",
  "ssh://h:0",
  "ssh://h:70000",
  "ssh://h/path",
  "ssh://h?x",
])("%p is no place", (text) => {
  expect(codeOf(() => parseSshAddresses(text))).toBe("INVALID_INPUT");
});

test("a mistake in a host list names its line, and sudo is for ssh alone", () => {
  const parse = (delivery: string) =>
    parseConfig("/w/wharf.yaml", `version: 1\nlogins: {}\ndeliver:\n  - ${delivery}\n`, "/home/u");
  expect(() => parse('{ to: docker, at: "ssh://gpu[2-1]" }')).toThrow("wharf.yaml:4:");
  expect(() => parse("{ to: docker, at: local, sudo: true }")).toThrow("places over ssh");
  expect(parse('{ to: docker, at: "ssh://gpu1", sudo: true }').deliveries[0]?.at).toMatchObject({
    hosts: [{ sudo: true, text: "ssh://gpu1?sudo" }],
  });
});

function codeOf(work: () => unknown): string {
  try {
    work();
    return "no error";
  } catch (cause) {
    return isAppError(cause) ? cause.code : String(cause);
  }
}
