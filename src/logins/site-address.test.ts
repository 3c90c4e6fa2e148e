import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { parsePlace } from "./parse-place.ts";

const expand = (written: string): string => `/site/${written}`;

test("groups of Ansible and partitions of Slurm, with user, port, inventory and sudo", () => {
  expect(parsePlace("ssh://root@@ansible:gpu:2222?inventory=hosts.ini&sudo", expand)).toMatchObject({
    kind: "hosts",
    source: { program: "ansible", name: "gpu", inventory: "/site/hosts.ini" },
    user: "root",
    port: 2222,
    sudo: true,
  });
  expect(parsePlace("ssh://@slurm:batch", expand)).toMatchObject({
    kind: "hosts",
    source: { program: "slurm", name: "batch" },
    sudo: false,
  });
  expect(parsePlace("ansible://gpu?inventory=prod", expand)).toMatchObject({
    kind: "ansible",
    group: "gpu",
    inventory: "/site/prod",
    hosts: undefined,
  });
});

test("node sets and groups of ClusterShell", () => {
  for (const group of ["gpu01", "gpu[01-64],!gpu07", "@gpu", "@rack:3&@up", "@*", "rack[1-4/2]"])
    expect(parsePlace(`clush://${group}?sudo`, expand)).toMatchObject({ kind: "clush", group, sudo: true });
});

test.each([
  "ansible://",
  "ansible://gpu:!gpu01",
  "ansible://-i",
  "ansible://gpu?inventory=",
  "ansible://gpu?inventory=-e",
  "ansible://gpu?sudo&sudo",
  "ansible://gpu?x",
  "clush://",
  "clush://-a",
  "clush://@gpu;id",
  "clush://$(id)",
  "clush://@gpu?inventory=x",
  "ssh://@torque:x",
  "ssh://@slurm:x?inventory=y",
  "ssh://@slurm:",
  "ssh://a;b@@slurm:x",
  "ssh://@ansible:gpu:0",
])("%s is no place", (text) => {
  expect(() => parsePlace(text, expand)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
});

test("whatever is written: a name that no program takes for an option, or a refusal", () => {
  const text = fc.tuple(
    fc.constantFrom("ansible://", "clush://", "ssh://@ansible:", "ssh://@slurm:", "ssh://u@@slurm:"),
    fc.string(),
  );
  fc.assert(
    fc.property(text, ([scheme, rest]) => {
      try {
        const place = parsePlace(scheme + rest, expand);
        if (place.kind === "clush") expect(place.group).toMatch(/^[A-Za-z0-9_@][^\s;$`"'\\<>|(){}]*$/);
        else if (place.kind === "ansible") expect(place.group).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/);
        else if (place.kind === "hosts") expect(place.source.name).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/);
        else throw new Error(place.kind);
      } catch (error) {
        if (!isAppError(error, "INVALID_INPUT")) throw error;
      }
    }),
    { seed: 4, numRuns: 300 },
  );
});
