import { expect, test } from "bun:test";
import { consumers } from "#consumers";
import { type Context, silentLogger } from "#core";
import { parseConfig } from "#logins";
import { waitForEffects } from "./rotate-delivery.ts";
import type { Inventory } from "./targets.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
const inventory: Inventory = {
  consumers,
  openPlace: () => Promise.reject(new Error("no place is opened to know when it counts")),
};
const SINCE = Date.parse("2027-01-01T00:00:00Z");

function deliveryOf(...lines: readonly string[]) {
  const logins =
    "logins:\n  a: { registry: a.example, username: u }\n  b: { registry: b.example, username: u }\n";
  const text = `version: 1\n${logins}deliver:\n${lines.map((line) => `  - ${line}\n`).join("")}`;
  return { config: parseConfig("/etc/wharf/wharf.yaml", text, "/root"), inventory };
}

async function remains(
  lines: readonly string[],
  how: { readonly now?: number; readonly noWait?: boolean; readonly takenUp?: boolean } = {},
) {
  const waited: number[] = [];
  const input = {
    now: () => how.now ?? SINCE,
    wait: async (ms: number) => void waited.push(ms),
    said: () => undefined,
    noWait: how.noWait === true,
    takenUp: how.takenUp === true,
  };
  const about = { delivery: deliveryOf(...lines), login: "a", sinceMs: SINCE };
  return { remaining: await waitForEffects(context, input, about), waited };
}

const KUBELET = `{ to: kubelet, at: "ssh://node1", logins: [a] }`;
const K3S = `{ to: k3s, at: "ssh://node[1-2]", logins: [a] }`;

test("it is waited for the kubelet's cache, from when it was delivered, and no longer", async () => {
  expect(await remains([KUBELET])).toEqual({ remaining: [], waited: [300_000] });
  expect(await remains([KUBELET], { now: SINCE + 290_000 })).toEqual({ remaining: [], waited: [10_000] });
  expect(await remains([KUBELET], { now: SINCE + 300_000 })).toEqual({ remaining: [], waited: [] });
  expect((await remains([KUBELET], { noWait: true })).remaining).toMatchObject([
    { kind: "wait", until: new Date(SINCE + 300_000) },
  ]);
});

test("a restart is somebody's to do, at each host, and nothing is waited for before", async () => {
  const { remaining, waited } = await remains([KUBELET, K3S]);
  expect(waited).toEqual([]);
  expect(remaining.map((one) => [one.kind, "place" in one ? one.place : undefined])).toEqual([
    ["wait", undefined],
    ["restart", "ssh://node1"],
    ["restart", "ssh://node2"],
  ]);
  expect(await remains([KUBELET, K3S], { takenUp: true })).toEqual({ remaining: [], waited: [300_000] });
});

test("a folder is to be rolled out; another login's targets, and programs that read each time, are nothing to wait for", async () => {
  const { remaining } = await remains([
    `{ to: docker, at: "folder:out", logins: [a] }`,
    `{ to: k3s, at: "folder:node", logins: [a] }`,
    `{ to: docker, at: local, logins: [a] }`,
    `{ to: kubelet, at: "ssh://node9", logins: [b] }`,
  ]);
  expect(remaining).toEqual([
    { kind: "roll-out", place: "folder:out", consumer: "docker", of: undefined },
    { kind: "roll-out", place: "folder:node", consumer: "k3s", of: "k3s" },
  ]);
});
