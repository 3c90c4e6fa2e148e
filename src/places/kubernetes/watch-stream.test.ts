import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Context, isAppError, silentLogger } from "#core";
import { isExpired } from "./api-error.ts";
import type { KubeObject, WatchEvent } from "./objects.ts";
import { readWatch } from "./watch-stream.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };

function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function read(chunks: readonly Uint8Array[]): Promise<readonly WatchEvent<KubeObject>[]> {
  return await Array.fromAsync(readWatch<KubeObject>(context, streamOf(chunks)));
}

const lineOf = (type: string, name: string): string =>
  `${JSON.stringify({ type, object: { metadata: { name, resourceVersion: "5" } } })}\n`;

test("the same events come out, wherever the bytes are cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(
          fc.constantFrom("ADDED", "MODIFIED", "DELETED", "BOOKMARK"),
          fc.string({ unit: "grapheme" }),
        ),
        {
          maxLength: 8,
        },
      ),
      fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
      async (events, cuts) => {
        const bytes = Buffer.from(events.map(([type, name]) => lineOf(type, name)).join(""));
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
          bytes.length,
        ];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        const found = await read(chunks);
        expect(found.map(({ type, object }) => [type as string, object.metadata.name])).toEqual(
          events.map(([type, name]) => [type, name]),
        );
      },
    ),
    { seed: 20261122, numRuns: 200 },
  );
});

test("what is cut off at the end is no event", async () => {
  const text = lineOf("ADDED", "a") + lineOf("ADDED", "b").slice(0, -4);
  expect((await read([Buffer.from(text)])).map(({ object }) => object.metadata.name)).toEqual(["a"]);
});

test("an error that came too old is told as one to list again after", async () => {
  const line = `${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } })}\n`;
  const fault: unknown = await read([Buffer.from(line)]).catch((cause: unknown) => cause);
  expect([isAppError(fault, "CONFLICT"), isExpired(fault)]).toEqual([true, true]);
});

test("a line that is no event is refused, without its text", async () => {
  const secret = crypto.randomUUID();
  for (const line of [secret, JSON.stringify({ type: secret, object: {} })]) {
    const fault: unknown = await read([Buffer.from(`${line}\n`)]).catch((cause: unknown) => cause);
    expect(isAppError(fault, "KUBERNETES_FAILED")).toBe(true);
    expect(String(fault)).not.toContain(secret);
  }
});
