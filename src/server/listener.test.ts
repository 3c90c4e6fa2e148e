import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "#core";
import { type Listener, openListener } from "./listener.ts";
import { openOwnCa } from "./tls/own-ca.ts";

const folder = mkdtempSync(join(tmpdir(), "wharf-listener-"));
const big = join(folder, "big");
const BIG_BYTES = 24 * 1024 * 1024;
writeFileSync(big, new Uint8Array(BIG_BYTES));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const answer = () => new Response(Bun.file(big).slice(0));

function open(tls?: Parameters<typeof openListener>[0]["tls"]): Promise<Listener> {
  return openListener({ listen: { host: "127.0.0.1", port: 0 }, tls, answer, log: silentLogger });
}

/** A download that has begun, and is read no further until `finish`. */
async function beginDownload(port: number, scheme = "http"): Promise<() => Promise<number>> {
  const response = await fetch(`${scheme}://127.0.0.1:${port}/`, { tls: { rejectUnauthorized: false } });
  const reader = response.body?.getReader();
  let bytes = (await reader?.read())?.value?.length ?? 0;
  return async () => {
    for (;;) {
      const next = await reader?.read();
      if (next === undefined || next.done) return bytes;
      bytes += next.value.length;
    }
  };
}

const whetherAnswers = (port: number, scheme = "http"): Promise<boolean> =>
  fetch(`${scheme}://127.0.0.1:${port}/`, {
    method: "HEAD",
    keepalive: false,
    tls: { rejectUnauthorized: false },
  }).then(
    () => true,
    () => false,
  );

test("a stop lets the download that is going on finish, and takes nothing new", async () => {
  const listener = await open();
  const finish = await beginDownload(listener.address.port);
  const stopped = listener.stop(30_000, never);
  expect(await whetherAnswers(listener.address.port)).toBe(false);
  expect(await finish()).toBe(BIG_BYTES);
  await stopped;
});

test("a stop waits no longer than it may, nor when it is hurried", async () => {
  for (const hurry of [never, AbortSignal.abort()]) {
    const listener = await open();
    const finish = await beginDownload(listener.address.port);
    const began = performance.now();
    await listener.stop(hurry.aborted ? 60_000 : 50, hurry);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await finish().catch(() => "cut")).not.toBe(BIG_BYTES);
  }
});

test("a new certificate serves new connections while the old ones finish", async () => {
  const ca = await openOwnCa(folder, Date.now());
  const issue = () => ca.issue(["127.0.0.1"], Date.now());
  const listener = await open(issue());
  const { port } = listener.address;
  const finish = await beginDownload(port, "https");
  for (let round = 0; round < 3; round++) {
    listener.useTls(issue());
    expect(await whetherAnswers(port, "https")).toBe(true);
  }
  expect(await finish()).toBe(BIG_BYTES);
  await listener.stop(10_000, never);
  expect(await whetherAnswers(port, "https")).toBe(false);
});

test("an answer that throws is an INTERNAL problem that says nothing of itself", async () => {
  const listener = await openListener({
    listen: { host: "127.0.0.1", port: 0 },
    tls: undefined,
    answer: () => {
      throw new Error("canary in a stack");
    },
    log: silentLogger,
  });
  const response = await fetch(`http://127.0.0.1:${listener.address.port}/`);
  expect(response.status).toBe(500);
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({ code: "INTERNAL", status: 500 });
  expect(text).not.toContain("canary");
  await listener.stop(0, never);
});
