import { afterEach, expect, test } from "bun:test";
import { silentLogger } from "#core";
import { digestOf } from "#oci";
import { createFetch } from "#system";
import {
  type Asked,
  type ScriptedRegistry,
  startScriptedRegistry,
} from "../../test/support/scripted-registry.ts";
import type { BlobStretch } from "./contract.ts";
import { createRegistryClient } from "./registry-client.ts";

const context = { signal: new AbortController().signal, log: silentLogger };
const text = "all the bytes of one layer";
const digest = digestOf(text);

let stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops) await stop();
  stops = [];
});

function peer(answer: (asked: Asked) => Response | undefined): ScriptedRegistry {
  const registry = startScriptedRegistry((asked) =>
    asked.path === "/v2/" ? new Response("{}") : answer(asked),
  );
  stops.push(() => registry.stop());
  return registry;
}

const stretch = (host: string, offset: number, lengthBytes: number): Promise<BlobStretch | undefined> =>
  createRegistryClient({
    registry: host,
    plainHttp: true,
    fetch: createFetch({ environment: {}, userAgent: "wharf/test" }),
    wait: () => Promise.resolve(),
  }).getBlobStretch(context, "a/b", { digest, sizeBytes: text.length, offset, lengthBytes });

async function textOf(found: BlobStretch | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of found?.body ?? []) chunks.push(chunk.slice());
  return Buffer.concat(chunks).toString();
}

/** `bytes=3-7` as Bun.serve's own file answers do not do it for strings. */
function ranged(asked: Asked): Response {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(asked.headers["range"] ?? "") ?? [];
  if (from === undefined || to === undefined) return new Response(text);
  return new Response(text.slice(Number(from), Number(to) + 1), {
    status: 206,
    headers: { "content-range": `bytes ${from}-${to}/${text.length}` },
  });
}

test("a stretch is asked for by its first and last byte", async () => {
  const registry = peer(ranged);
  const found = await stretch(registry.host, 4, 9);
  expect(found?.from).toBe(4);
  expect(await textOf(found)).toBe(text.slice(4, 13));
  expect(registry.asked.at(-1)?.headers["range"]).toBe("bytes=4-12");
});

test("the whole blob is asked for without a range: some registries count or cache ranges otherwise", async () => {
  const registry = peer(ranged);
  expect(await textOf(await stretch(registry.host, 0, text.length))).toBe(text);
  expect(registry.asked.at(-1)?.headers["range"]).toBeUndefined();
});

test("a registry that knows no ranges gives the whole blob, and it says so", async () => {
  const registry = peer(() => new Response(text));
  const found = await stretch(registry.host, 4, 9);
  expect(found?.from).toBe(0);
  expect(found?.to).toBe(text.length);
  expect(await textOf(found)).toBe(text);
});

test("a registry that forgets about ranges in the middle is cut at the stretch's end", async () => {
  let asks = 0;
  const registry = peer((asked) => {
    asks++;
    if (asks > 1) return new Response(text);
    const all = ranged(asked);
    // Five of the nine bytes, then the end.
    return new Response(text.slice(4, 9), { status: 206, headers: all.headers });
  });
  expect(await textOf(await stretch(registry.host, 4, 9))).toBe(text.slice(4, 13));
});

test("a blob that is not there is undefined, and a range of another place is refused", async () => {
  expect(await stretch(peer(() => undefined).host, 0, 3)).toBeUndefined();
  const wrong = peer(
    () => new Response("abc", { status: 206, headers: { "content-range": "bytes 9-11/26" } }),
  );
  await expect(stretch(wrong.host, 0, 3)).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
});
