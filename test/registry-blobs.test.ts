/** Blobs of the registry, by its protocol over real HTTP: every way in, mounts, parts, uploads that are resumed, crowded out or left alone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, unlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { manifestType, randomBytes } from "./support/registry-calls.ts";
import { createRegistryFixture, digestOf } from "./support/registry-fixture.ts";
import { createTeamRegistry, errorOf, type TeamRegistry } from "./support/team-registry.ts";

const KIB = 1024;
let it: TeamRegistry;

beforeAll(async () => {
  it = await createTeamRegistry();
});
afterAll(() => it.close());

for (const algorithm of ["sha256", "sha512"]) {
  for (const length of [0, 2, 16 * KIB, 16 * KIB + 1, 65 * KIB, 3 * KIB * KIB]) {
    test(`a blob of ${length} bytes by every way of pushing (${algorithm})`, async () => {
      const upload = async (query = ""): Promise<string> => {
        const response = await it.ask("POST", `/v2/team/ways/blobs/uploads/${query}`, { as: it.developer });
        expect(response.status).toBe(202);
        return response.headers.get("location") ?? "";
      };
      const ways: Record<string, (bytes: Uint8Array<ArrayBuffer>, digest: string) => Promise<Response>> = {
        "one POST": (body, digest) =>
          it.ask("POST", `/v2/team/ways/blobs/uploads/?digest=${digest}`, { as: it.developer, body }),
        "POST and PUT": async (body, digest) =>
          it.ask("PUT", `${await upload()}?digest=${digest}`, { as: it.developer, body }),
        "a stream": async (bytes, digest) => {
          const at = await upload(`?digest-algorithm=${algorithm}`);
          const body = new Blob([bytes]).stream();
          const patched = await it.ask("PATCH", at, { as: it.developer, body });
          expect([patched.status, patched.headers.get("range")]).toEqual([
            202,
            `0-${Math.max(0, bytes.length - 1)}`,
          ]);
          return it.ask("PUT", `${patched.headers.get("location")}?digest=${digest}`, { as: it.developer });
        },
        "two chunks and the last with the PUT": async (bytes, digest) => {
          let at = await upload();
          const third = Math.floor(bytes.length / 3);
          if (third > 0) {
            for (const [from, to] of [
              [0, third],
              [third, 2 * third],
            ] as const) {
              const patched = await it.ask("PATCH", at, {
                as: it.developer,
                body: bytes.slice(from, to),
                headers: { "content-range": `${from}-${to - 1}` },
              });
              expect([patched.status, patched.headers.get("range")]).toEqual([202, `0-${to - 1}`]);
              at = patched.headers.get("location") ?? "";
            }
          }
          const rest = bytes.slice(2 * third);
          return it.ask("PUT", `${at}?digest=${digest}`, {
            as: it.developer,
            body: rest,
            headers: third === 0 ? {} : { "content-range": `${2 * third}-${bytes.length - 1}` },
          });
        },
      };
      for (const [way, push] of Object.entries(ways)) {
        const bytes = randomBytes(length);
        const digest = digestOf(bytes, algorithm);
        const pushed = await push(bytes, digest);
        expect([way, pushed.status, pushed.headers.get("docker-content-digest")]).toEqual([way, 201, digest]);
        const at = pushed.headers.get("location") ?? "";
        const head = await it.ask("HEAD", at, { as: it.guest });
        expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([
          200,
          String(length),
          "",
        ]);
        for (const turn of ["first", "remembered"]) {
          const got = await it.ask("GET", at, { as: it.guest });
          expect([turn, got.status, got.headers.get("content-type")]).toEqual([
            turn,
            200,
            "application/octet-stream",
          ]);
          expect(got.headers.get("docker-content-digest")).toBe(digest);
          expect(got.headers.get("content-length")).toBe(String(length));
          expect(got.headers.get("content-disposition")).toBe("attachment");
          expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
        }
        const wrong = await push(randomBytes(length + 1), digest);
        expect([way, ...(await errorOf(wrong))]).toEqual([way, 400, "DIGEST_INVALID"]);
      }
    });
  }
}

test("a chunk out of order is 416 with what is there, on PATCH and on the last PUT", async () => {
  const started = await it.ask("POST", "/v2/team/order/blobs/uploads/", { as: it.developer });
  const at = started.headers.get("location") ?? "";
  const send = (method: string, path: string, range: string, length = 10): Promise<Response> =>
    it.ask(method, path, {
      as: it.developer,
      body: randomBytes(length),
      headers: { "content-range": range },
    });
  const digest = digestOf("x");
  for (const response of [
    await send("PATCH", at, "10-19"),
    await send("PUT", `${at}?digest=${digest}`, "5-14"),
  ]) {
    expect(response.status).toBe(416);
    expect([response.headers.get("location"), response.headers.get("range")]).toEqual([at, "0-0"]);
  }
  expect((await send("PATCH", at, "0-9")).status).toBe(202);
  const again = await send("PATCH", at, "0-9");
  expect([again.status, again.headers.get("range")]).toEqual([416, "0-9"]);
  expect((await send("PUT", `${at}?digest=${digest}`, "30-39")).status).toBe(416);
  expect((await send("PATCH", at, "10-29")).status).toBe(400);
  expect((await send("PATCH", at, "ten-twenty")).status).toBe(400);
  const status = await it.ask("GET", at, { as: it.developer });
  expect([status.status, status.headers.get("range"), status.headers.get("location")]).toEqual([
    204,
    "0-9",
    at,
  ]);
});

test("an upload is cancelled, and is gone; so is one that ended", async () => {
  const started = await it.ask("POST", "/v2/team/gone/blobs/uploads/", { as: it.developer });
  const at = started.headers.get("location") ?? "";
  await it.ask("PATCH", at, { as: it.developer, body: randomBytes(10) });
  expect((await it.ask("DELETE", at, { as: it.developer })).status).toBe(204);
  for (const method of ["GET", "PATCH", "DELETE"])
    expect(await errorOf(await it.ask(method, at, { as: it.developer }))).toEqual([
      404,
      "BLOB_UPLOAD_UNKNOWN",
    ]);
});

test("an upload id serves its own repository and principal alone (CVE-2026-32589)", async () => {
  const started = await it.ask("POST", "/v2/team/mine/blobs/uploads/", { as: it.developer });
  const at = started.headers.get("location") ?? "";
  const tries = {
    repository: () => it.ask("GET", at.replace("team/mine", "team/yours"), { as: it.developer }),
    principal: () => it.ask("GET", at, { as: it.maintainer }),
    seal: () => it.ask("GET", `${at.slice(0, -2)}AA`, { as: it.developer }),
    path: () => it.ask("GET", `${at.slice(0, at.lastIndexOf("/"))}/..%2f..%2fx`, { as: it.developer }),
  };
  expect(await errorOf(await tries.repository())).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  expect(await errorOf(await tries.principal())).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  expect(await errorOf(await tries.seal())).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  expect((await tries.path()).status).toBe(404);
  expect((await it.ask("GET", at, { as: it.developer })).status).toBe(204);
});

test("an upload goes on after a restart, with another token of the same user", async () => {
  const bytes = randomBytes(300_000);
  const started = await it.ask("POST", "/v2/team/resumed/blobs/uploads/", { as: it.developer });
  const at = started.headers.get("location") ?? "";
  await it.ask("PATCH", at, { as: it.developer, body: bytes.slice(0, 100_000) });
  await it.restart();
  const got = await it.ask("GET", "/v2/token?scope=repository:team/resumed:pull,push", { as: it.developer });
  const as = `Bearer ${((await got.json()) as { token: string }).token}`;
  const status = await it.ask("GET", at, { as });
  expect([status.status, status.headers.get("range")]).toEqual([204, "0-99999"]);
  const put = await it.ask("PUT", `${at}?digest=${digestOf(bytes)}`, {
    as,
    body: bytes.slice(100_000),
    headers: { "content-range": "100000-299999" },
  });
  expect(put.status).toBe(201);
});

test("a blob of another repository is not there, mounted or not it is no oracle", async () => {
  const secret = await it.pushBlob("other/private", randomBytes(100), it.maintainer);
  expect(await errorOf(await it.ask("GET", `/v2/team/app/blobs/${secret}`, { as: it.developer }))).toEqual([
    404,
    "BLOB_UNKNOWN",
  ]);
  const mount = (query: string, as = it.developer): Promise<Response> =>
    it.ask("POST", `/v2/team/app/blobs/uploads/?${query}`, { as });
  for (const query of [
    `mount=${secret}&from=other/private`,
    `mount=${secret}`,
    `mount=${secret}&from=nobody/x`,
    `mount=${digestOf("nowhere")}&from=team/app`,
    `mount=${digestOf("nowhere")}`,
    `mount=nonsense&from=../x`,
  ]) {
    const response = await mount(query);
    expect([query, response.status]).toEqual([query, 202]);
    expect((await it.ask("GET", response.headers.get("location") ?? "", { as: it.developer })).status).toBe(
      204,
    );
  }
  const mounted = await mount(`mount=${secret}&from=other/private`, it.maintainer);
  expect([mounted.status, mounted.headers.get("location")]).toEqual([201, `/v2/team/app/blobs/${secret}`]);
  expect((await it.ask("HEAD", `/v2/team/app/blobs/${secret}`, { as: it.developer })).status).toBe(200);
  const second = await it.pushBlob("other/private", randomBytes(100), it.maintainer);
  expect((await mount(`mount=${second}`, it.maintainer)).status).toBe(201);
});

test("a mount within a project needs no token for the source, one from another project does", async () => {
  const tokenFor = async (scope: string): Promise<string> => {
    const answer = await it.ask("GET", `/v2/token?scope=${scope}`, { as: it.maintainer });
    return `Bearer ${((await answer.json()) as { token: string }).token}`;
  };
  const near = await it.pushBlob("team/near", randomBytes(100), it.maintainer);
  const far = await it.pushBlob("other/far", randomBytes(100), it.maintainer);
  const as = await tokenFor("repository:team/app:pull,push");
  const mount = async (digest: string, from: string, by: string): Promise<number> =>
    (await it.ask("POST", `/v2/team/app/blobs/uploads/?mount=${digest}&from=${from}`, { as: by })).status;
  expect(await mount(near, "team/near", as)).toBe(201);
  expect(await mount(far, "other/far", as)).toBe(202);
  const both = await tokenFor("repository:team/app:pull,push&scope=repository:other/far:pull");
  expect(await mount(far, "other/far", both)).toBe(201);
});

test("part of a blob", async () => {
  for (const length of [2000, 200_000]) {
    const bytes = randomBytes(length);
    const at = `/v2/team/parts/blobs/${await it.pushBlob("team/parts", bytes, it.developer)}`;
    for (const turn of ["first", "again"]) {
      const part = (range: string): Promise<Response> =>
        it.ask("GET", at, { as: it.guest, headers: { range } });
      for (const [range, from, to] of [
        ["bytes=500-1499", 500, 1500],
        ["bytes=500-", 500, length],
        ["bytes=-500", length - 500, length],
        [`bytes=1500-${length + 5000}`, 1500, length],
        ["bytes=0-0", 0, 1],
      ] as const) {
        const got = await part(range);
        expect([turn, range, got.status, got.headers.get("content-range")]).toEqual([
          turn,
          range,
          206,
          `bytes ${from}-${to - 1}/${length}`,
        ]);
        expect(got.headers.get("content-length")).toBe(String(to - from));
        expect(Buffer.from(await got.arrayBuffer()).equals(bytes.subarray(from, to))).toBe(true);
      }
      for (const range of ["bytes=500-0", `bytes=${length}-`, "bytes=-0"]) {
        const got = await part(range);
        expect([range, got.status, got.headers.get("content-range")]).toEqual([
          range,
          416,
          `bytes */${length}`,
        ]);
      }
      expect((await part("bytes=0-1,5-6")).status).toBe(200);
      expect((await part("lines=0-1")).status).toBe(200);
      // A Range means something to a GET alone (RFC 9110, 14.2).
      for (const range of ["bytes=0-0", `bytes=${length}-`]) {
        const head = await it.ask("HEAD", at, { as: it.guest, headers: { range } });
        expect([turn, head.status, head.headers.get("content-length")]).toEqual([turn, 200, String(length)]);
      }
      const whole = await it.ask("GET", at, { as: it.guest });
      expect([whole.status, (await whole.arrayBuffer()).byteLength]).toEqual([200, length]);
      const fresh = await it.ask("GET", at, {
        as: it.guest,
        headers: { "if-none-match": whole.headers.get("etag") ?? "" },
      });
      expect([fresh.status, await fresh.text()]).toEqual([304, ""]);
    }
  }
});

test("too many uploads at once are told to come again", async () => {
  const small = await createRegistryFixture({ maxActiveUploads: 1, maxMemoryBodyBytes: 0 });
  try {
    await small.accounts.project("team");
    const as = await small.member("dev", { team: "developer" });
    const begin = async (): Promise<string> =>
      (await small.ask("POST", "/v2/team/app/blobs/uploads/", { as })).headers.get("location") ?? "";
    const opened = Promise.withResolvers<ReadableStreamDefaultController>();
    const [one, two] = [await begin(), await begin()];
    const slow = small.ask("PATCH", one, {
      as,
      body: new ReadableStream({ start: (controller) => opened.resolve(controller) }),
    });
    const controller = await opened.promise;
    controller.enqueue(new Uint8Array(100_000));
    const uploaded = async (): Promise<number> =>
      readdirSync(join(small.accounts.dir, "blobs/uploads")).length;
    while ((await uploaded()) === 0) await new Promise(setImmediate);
    const refused = await small.ask("PATCH", two, { as, body: randomBytes(10) });
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([503, true]);
    // A large manifest lies in memory while it comes: it takes a place too.
    const manifest = { as, body: randomBytes(100_000), headers: { "content-type": manifestType } };
    expect((await small.ask("PUT", "/v2/team/app/manifests/large", manifest)).status).toBe(503);
    controller.close();
    expect((await slow).status).toBe(202);
    expect((await small.ask("PATCH", two, { as, body: randomBytes(10) })).status).toBe(202);
  } finally {
    await small.close();
  }
});

test("uploads left alone vanish when somebody starts another", async () => {
  const small = await createRegistryFixture({ uploadLifeSeconds: 60 });
  try {
    await small.accounts.project("team");
    const as = await small.member("dev", { team: "developer" });
    const begin = async (): Promise<string> =>
      (await small.ask("POST", "/v2/team/app/blobs/uploads/", { as })).headers.get("location") ?? "";
    const folder = join(small.accounts.dir, "blobs/uploads");
    const left = await begin();
    await small.ask("PATCH", left, { as, body: randomBytes(10) });
    const [name = ""] = readdirSync(folder);
    const early = new Date(small.accounts.clock.now() - 3_600_000);
    utimesSync(join(folder, name), early, early);
    small.accounts.clock.forward(3_600_000);
    const fresh = await begin();
    while (readdirSync(folder).length > 0) await new Promise(setImmediate);
    expect(await errorOf(await small.ask("GET", left, { as }))).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
    expect((await small.ask("GET", fresh, { as })).status).toBe(204);
  } finally {
    await small.close();
  }
});

test("nothing above was a fault of the registry", () => {
  expect(it.logged).toEqual([]);
});

test("a blob whose bytes were lost counts as absent, and is whole once it is pushed again", async () => {
  const bytes = randomBytes(100 * KIB);
  const digest = await it.pushBlob("team/lost", bytes, it.developer);
  const folder = join(it.accounts.dir, "blobs", "blobs", digest.slice(7, 9));
  for (const name of readdirSync(folder)) if (name.includes(digest.slice(7))) unlinkSync(join(folder, name));

  const path = `/v2/team/lost/blobs/${digest}`;
  expect((await it.ask("HEAD", path, { as: it.developer })).status).toBe(404);
  expect(await errorOf(await it.ask("GET", path, { as: it.developer }))).toEqual([404, "BLOB_UNKNOWN"]);
  expect(it.logged.at(-1)).toEqual({
    message: "the bytes of a blob are lost: push it again",
    fields: { repository: "team/lost", digest },
  });
  // A mount would have the client skip the upload that makes it whole.
  const mount = `/v2/team/other/blobs/uploads/?mount=${digest}&from=team/lost`;
  expect((await it.ask("POST", mount, { as: it.developer })).status).toBe(202);

  await it.pushBlob("team/other", bytes, it.developer);
  for (const repository of ["lost", "other"]) {
    const got = await it.ask("GET", `/v2/team/${repository}/blobs/${digest}`, { as: it.developer });
    expect(digestOf(new Uint8Array(await got.arrayBuffer()))).toBe(digest);
  }
  expect(readdirSync(folder).filter((name) => name.includes(digest.slice(7)))).toHaveLength(1);
  await it.pushBlob("team/lost", bytes, it.developer);
  expect(readdirSync(folder).filter((name) => name.includes(digest.slice(7)))).toHaveLength(1);
});
