/** Foreign layers' addresses: CVE-2020-15157 and its kin. */
import { expect, test } from "bun:test";
import { type LogFields, silentLogger } from "#core";
import { digestOf } from "#oci";
import type { FetchAnswer } from "#system";
import { createUrlOrigin } from "./url-origin.ts";

const bytes = new TextEncoder().encode("the bytes of a foreign layer");
const wanted = { digest: digestOf(bytes), sizeBytes: bytes.length, offset: 0, lengthBytes: bytes.length };

interface Asked {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

function originOf(urls: readonly string[], answer: (asked: Asked) => Response) {
  const asked: Asked[] = [];
  const warned: (LogFields | undefined)[] = [];
  const context = {
    signal: new AbortController().signal,
    log: { ...silentLogger, warn: (_message: string, fields?: LogFields) => void warned.push(fields) },
  };
  const origin = createUrlOrigin(
    { mediaType: "", digest: wanted.digest, sizeBytes: bytes.length, urls, annotations: {} },
    async (_context, url, headers): Promise<FetchAnswer> => {
      asked.push({ url, headers });
      const { status, headers: own, body } = answer({ url, headers });
      return {
        status,
        headers: own,
        body: body ?? new Blob([]).stream(),
        readBytes: () => Promise.reject(new Error("not read so")),
        discard: async () => undefined,
      };
    },
  );
  return { asked, warned, open: (more = {}) => origin.open(context, { ...wanted, ...more }) };
}

const ok = (): Response => new Response(bytes);

test("the address is asked over TLS, with nothing that says who asks", async () => {
  const { asked, open } = originOf(["https://1.1.1.1/layer"], ok);
  const found = await open();
  expect(found).toMatchObject({ from: 0, to: bytes.length });
  expect(asked).toEqual([{ url: "https://1.1.1.1/layer", headers: {} }]);
});

test("a stretch is asked for by range", async () => {
  const { asked, open } = originOf(
    ["https://1.1.1.1/layer"],
    () => new Response(bytes.slice(4, 8), { status: 206, headers: { "content-range": "bytes 4-7/28" } }),
  );
  expect(await open({ offset: 4, lengthBytes: 4 })).toMatchObject({ from: 4, to: 8 });
  expect(asked[0]?.headers).toEqual({ range: "bytes=4-7" });
});

test.each([
  "http://1.1.1.1/layer",
  "https://127.0.0.1/layer",
  "https://[::1]:5000/layer",
  "https://169.254.169.254/latest/meta-data",
  "https://10.0.0.1/x",
  "https://localhost/x",
  "https://user:secret@1.1.1.1/x",
  "file:///etc/passwd",
  "nonsense",
])("%s is not asked", async (url) => {
  const { asked, warned, open } = originOf([url], ok);
  expect(await open()).toBeUndefined();
  expect(asked).toEqual([]);
  expect(warned).toHaveLength(1);
});

test("a redirect is held to the same, and does not go on for ever", async () => {
  const to = (location: string) => () => new Response(null, { status: 302, headers: { location } });
  for (const location of ["https://127.0.0.1/", "http://1.1.1.1/", "https://metadata.google.internal/"]) {
    const { asked, open } = originOf(["https://1.1.1.1/layer"], to(location));
    expect(await open()).toBeUndefined();
    expect(asked).toHaveLength(1);
  }
  const ring = originOf(["https://1.1.1.1/layer"], to("/layer"));
  await expect(ring.open()).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
});

test("the next address is asked where one has nothing; a query is not logged", async () => {
  const { asked, warned, open } = originOf(
    ["https://1.1.1.1/gone?signature=x", "https://1.1.1.2/there"],
    ({ url }) => (url.includes("gone") ? new Response(null, { status: 404 }) : ok()),
  );
  expect(await open()).toMatchObject({ from: 0 });
  expect(asked).toHaveLength(2);
  expect(JSON.stringify(warned)).not.toContain("signature");
});
