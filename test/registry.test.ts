/** The registry by its protocol: every endpoint over real HTTP, real access control, real catalog and blob store. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, unlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { createAccess } from "#access";
import { openFolderStore } from "#blobs";
import { openCatalog } from "#catalog";
import { silentLogger } from "#core";
import { createRegistry } from "#registry";
import { basic } from "./support/accounts.ts";
import { createRegistryFixture, digestOf, type RegistryFixture } from "./support/registry-fixture.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const KIB = 1024;

let it: RegistryFixture;
let developer: string;
let maintainer: string;
let guest: string;
let stranger: string;

beforeAll(async () => {
  it = await createRegistryFixture();
  await it.accounts.project("team");
  await it.accounts.project("other");
  await it.accounts.project("open", "public");
  developer = await it.member("dev", { team: "developer", open: "developer" });
  maintainer = await it.member("main", { team: "maintainer", other: "maintainer", open: "maintainer" });
  guest = await it.member("visitor", { team: "guest" });
  stranger = await it.member("stranger", {});
});
afterAll(() => it.close());

const bytesOf = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(length));
const EMPTY = new TextEncoder().encode("{}");

async function code(response: Response): Promise<[number, string]> {
  const body = (await response.json()) as { errors: { code: string; message: string }[] };
  return [response.status, body.errors[0]?.code ?? ""];
}

/** An image with one config and one layer, pushed under a tag; gives bytes and digest of its manifest. */
async function pushImage(
  repository: string,
  tag: string,
  more: Record<string, unknown> = {},
  as = maintainer,
) {
  const layer = bytesOf(100);
  await it.pushBlob(repository, EMPTY, as);
  await it.pushBlob(repository, layer, as);
  const text = JSON.stringify(
    {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(EMPTY), size: 2 },
      layers: [{ mediaType: "application/octet-stream", digest: digestOf(layer), size: layer.length }],
      ...more,
    },
    null,
    1,
  );
  const response = await it.ask("PUT", `/v2/${repository}/manifests/${tag}`, {
    as,
    body: text,
    headers: { "content-type": MANIFEST },
  });
  return { text, digest: digestOf(text), layer: digestOf(layer), response };
}

test("nobody gets in without a login, and the challenge is one that Enroot can read", async () => {
  for (const path of ["/v2/", "/v2", "/v2/_catalog", "/v2/_catalog/", "/v2/nothing", "/v2/token/x"]) {
    const response = await it.ask("GET", path);
    expect([path, ...(await code(response))]).toEqual([path, 401, "UNAUTHORIZED"]);
  }
  const host = new URL(it.url).host;
  const ping = await it.ask("GET", "/v2/");
  expect(ping.headers.get("www-authenticate")).toBe(`Bearer realm="${it.url}/v2/token",service="${host}"`);
  const pull = await it.ask("HEAD", "/v2/team/app/manifests/latest");
  expect(pull.status).toBe(401);
  expect(pull.headers.get("www-authenticate")).toBe(
    `Bearer realm="${it.url}/v2/token",service="${host}",scope="repository:team/app:pull"`,
  );
  const mount = await it.ask("POST", `/v2/team/app/blobs/uploads/?mount=${digestOf("x")}&from=other/app`);
  expect(mount.headers.get("www-authenticate")).toEndWith(
    ',scope="repository:team/app:pull,push repository:other/app:pull"',
  );
  const named = await it.ask("GET", "/v2/", { headers: { host: "registry.example:8443" } });
  expect(named.headers.get("www-authenticate")).toBe(
    'Bearer realm="http://registry.example:8443/v2/token",service="registry.example:8443"',
  );
  const evil = await it.ask("GET", "/v2/%22%2Cx=%22/manifests/latest");
  expect(await code(evil)).toEqual([400, "NAME_INVALID"]);
});

test("with a login: 200, and no challenge on success", async () => {
  const ping = await it.ask("GET", "/v2/", { as: guest });
  expect([ping.status, await ping.text(), ping.headers.get("www-authenticate")]).toEqual([200, "{}", null]);
});

test("a wrong login is 401 everywhere, with the reason where the caller proved who they are", async () => {
  const wrong = await it.ask("GET", "/v2/", { as: basic("dev", "wrong") });
  expect(await code(wrong)).toEqual([401, "UNAUTHORIZED"]);
  const id = await it.accounts.user("late", { roles: { team: "guest" } });
  const { secret } = await it.accounts.token(id, it.accounts.clock.now() - 1);
  const late = await it.ask("GET", "/v2/", { as: basic("late", secret) });
  expect(late.status).toBe(401);
  expect(await late.text()).toContain("expired");
});

test("a stranger learns nothing, a guest may not push, a push to no project says how to make one", async () => {
  await pushImage("team/app", "v1");
  const hidden = await it.ask("GET", "/v2/team/app/manifests/v1", { as: stranger });
  const missing = await it.ask("GET", "/v2/nobody/app/manifests/v1", { as: stranger });
  expect(hidden.status).toBe(404);
  expect((await hidden.text()).replaceAll("team", "nobody")).toBe(await missing.text());
  expect(await code(await it.ask("POST", "/v2/team/app/blobs/uploads/", { as: guest }))).toEqual([
    403,
    "DENIED",
  ]);
  expect(await code(await it.ask("DELETE", "/v2/team/app/manifests/v1", { as: developer }))).toEqual([
    403,
    "DENIED",
  ]);
  const { secret } = await it.accounts.token(await it.accounts.robot({ name: "reader", project: "team" }));
  const robot = { as: basic("robot-team-reader", secret) };
  const reader = await it.ask("POST", "/v2/team/app/blobs/uploads/", robot);
  // It has no role to be given.
  expect([reader.status, await reader.text()]).toEqual([
    403,
    expect.stringMatching(/this robot may not push team\/app; ask a maintainer/),
  ]);
  const lost = await it.ask("POST", "/v2/nobody/app/blobs/uploads/", { as: developer });
  expect([lost.status, await lost.text()]).toEqual([
    404,
    expect.stringContaining("wharf project create nobody"),
  ]);
});

test("tokens: GET and POST, what is asked and allowed, never a refresh token", async () => {
  const scopes = "scope=repository:team/app:pull,push,delete&scope=repository:other/app:pull";
  const got = await it.ask("GET", `/v2/token?service=x&${scopes}&offline_token=true&account=dev`, {
    as: developer,
  });
  const answer = (await got.json()) as Record<string, string>;
  expect(answer["refresh_token"]).toBeUndefined();
  expect(answer["token"]).toBe(answer["access_token"]);
  expect(Number(answer["expires_in"])).toBeGreaterThanOrEqual(60);
  expect(Number.isNaN(Date.parse(answer["issued_at"] ?? ""))).toBe(false);
  const bearer = `Bearer ${answer["token"]}`;
  expect((await it.ask("POST", "/v2/team/app/blobs/uploads/", { as: bearer })).status).toBe(202);
  expect((await it.ask("GET", "/v2/", { as: bearer })).status).toBe(200);
  const other = await it.ask("POST", "/v2/team/another/blobs/uploads/", { as: bearer });
  expect(await code(other)).toEqual([401, "UNAUTHORIZED"]);
  expect(other.headers.get("www-authenticate")).toEndWith(',error="insufficient_scope"');

  const [, password = ""] = Buffer.from(developer.slice(6), "base64").toString().split(":");
  const form = (fields: Record<string, string>): Promise<Response> =>
    it.ask("POST", "/v2/token", { body: new URLSearchParams(fields) });
  const posted = await form({
    grant_type: "password",
    username: "dev",
    password,
    service: "x",
    scope: "repository:team/app:pull registry:catalog:*",
    access_type: "offline",
  });
  const second = (await posted.json()) as Record<string, string>;
  expect(second["refresh_token"]).toBeUndefined();
  const catalog = await it.ask("GET", "/v2/_catalog", { as: `Bearer ${second["access_token"]}` });
  expect(catalog.status).toBe(200);
  expect((await form({ grant_type: "password", username: "dev", password: "no" })).status).toBe(401);
  expect((await form({ grant_type: "refresh_token", refresh_token: "x" })).status).toBe(401);
  expect((await it.ask("GET", "/v2/token", { as: bearer })).status).toBe(401);
  expect((await it.ask("GET", "/v2/token", { as: basic("dev", "wrong") })).status).toBe(401);
  expect((await it.ask("GET", `/v2/token?${"scope=a:b:c&".repeat(200)}`, { as: developer })).status).toBe(
    400,
  );
});

test("public projects by an anonymous token", async () => {
  const { text } = await pushImage("open/app", "v1");
  const token = (await (await it.ask("GET", "/v2/token?scope=repository:open/app:pull,push")).json()) as {
    token: string;
  };
  const as = `Bearer ${token.token}`;
  expect(await (await it.ask("GET", "/v2/open/app/manifests/v1", { as })).text()).toBe(text);
  expect((await it.ask("POST", "/v2/open/app/blobs/uploads/", { as })).status).toBe(401);
  expect((await it.ask("GET", "/v2/", { as })).status).toBe(401);
  expect((await it.ask("GET", "/v2/team/app/manifests/v1", { as })).status).toBe(401);
});

for (const algorithm of ["sha256", "sha512"]) {
  for (const length of [0, 2, 16 * KIB, 16 * KIB + 1, 65 * KIB, 3 * KIB * KIB]) {
    test(`a blob of ${length} bytes by every way of pushing (${algorithm})`, async () => {
      const upload = async (query = ""): Promise<string> => {
        const response = await it.ask("POST", `/v2/team/ways/blobs/uploads/${query}`, { as: developer });
        expect(response.status).toBe(202);
        return response.headers.get("location") ?? "";
      };
      const ways: Record<string, (bytes: Uint8Array<ArrayBuffer>, digest: string) => Promise<Response>> = {
        "one POST": (body, digest) =>
          it.ask("POST", `/v2/team/ways/blobs/uploads/?digest=${digest}`, { as: developer, body }),
        "POST and PUT": async (body, digest) =>
          it.ask("PUT", `${await upload()}?digest=${digest}`, { as: developer, body }),
        "a stream": async (bytes, digest) => {
          const at = await upload(`?digest-algorithm=${algorithm}`);
          const body = new Blob([bytes]).stream();
          const patched = await it.ask("PATCH", at, { as: developer, body });
          expect([patched.status, patched.headers.get("range")]).toEqual([
            202,
            `0-${Math.max(0, bytes.length - 1)}`,
          ]);
          return it.ask("PUT", `${patched.headers.get("location")}?digest=${digest}`, { as: developer });
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
                as: developer,
                body: bytes.slice(from, to),
                headers: { "content-range": `${from}-${to - 1}` },
              });
              expect([patched.status, patched.headers.get("range")]).toEqual([202, `0-${to - 1}`]);
              at = patched.headers.get("location") ?? "";
            }
          }
          const rest = bytes.slice(2 * third);
          return it.ask("PUT", `${at}?digest=${digest}`, {
            as: developer,
            body: rest,
            headers: third === 0 ? {} : { "content-range": `${2 * third}-${bytes.length - 1}` },
          });
        },
      };
      for (const [way, push] of Object.entries(ways)) {
        const bytes = bytesOf(length);
        const digest = digestOf(bytes, algorithm);
        const pushed = await push(bytes, digest);
        expect([way, pushed.status, pushed.headers.get("docker-content-digest")]).toEqual([way, 201, digest]);
        const at = pushed.headers.get("location") ?? "";
        const head = await it.ask("HEAD", at, { as: guest });
        expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([
          200,
          String(length),
          "",
        ]);
        for (const turn of ["first", "remembered"]) {
          const got = await it.ask("GET", at, { as: guest });
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
        const wrong = await push(bytesOf(length + 1), digest);
        expect([way, ...(await code(wrong))]).toEqual([way, 400, "DIGEST_INVALID"]);
      }
    });
  }
}

test("a chunk out of order is 416 with what is there, on PATCH and on the last PUT", async () => {
  const started = await it.ask("POST", "/v2/team/order/blobs/uploads/", { as: developer });
  const at = started.headers.get("location") ?? "";
  const send = (method: string, path: string, range: string, length = 10): Promise<Response> =>
    it.ask(method, path, { as: developer, body: bytesOf(length), headers: { "content-range": range } });
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
  const status = await it.ask("GET", at, { as: developer });
  expect([status.status, status.headers.get("range"), status.headers.get("location")]).toEqual([
    204,
    "0-9",
    at,
  ]);
});

test("an upload is cancelled, and is gone; so is one that ended", async () => {
  const started = await it.ask("POST", "/v2/team/gone/blobs/uploads/", { as: developer });
  const at = started.headers.get("location") ?? "";
  await it.ask("PATCH", at, { as: developer, body: bytesOf(10) });
  expect((await it.ask("DELETE", at, { as: developer })).status).toBe(204);
  for (const method of ["GET", "PATCH", "DELETE"])
    expect(await code(await it.ask(method, at, { as: developer }))).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
});

test("an upload id serves its own repository and principal alone (CVE-2026-32589)", async () => {
  const started = await it.ask("POST", "/v2/team/mine/blobs/uploads/", { as: developer });
  const at = started.headers.get("location") ?? "";
  const tries = {
    repository: () => it.ask("GET", at.replace("team/mine", "team/yours"), { as: developer }),
    principal: () => it.ask("GET", at, { as: maintainer }),
    seal: () => it.ask("GET", `${at.slice(0, -2)}AA`, { as: developer }),
    path: () => it.ask("GET", `${at.slice(0, at.lastIndexOf("/"))}/..%2f..%2fx`, { as: developer }),
  };
  expect(await code(await tries.repository())).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  expect(await code(await tries.principal())).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  expect(await code(await tries.seal())).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  expect((await tries.path()).status).toBe(404);
  expect((await it.ask("GET", at, { as: developer })).status).toBe(204);
});

test("an upload goes on after a restart, with another token of the same user", async () => {
  const bytes = bytesOf(300_000);
  const started = await it.ask("POST", "/v2/team/resumed/blobs/uploads/", { as: developer });
  const at = started.headers.get("location") ?? "";
  await it.ask("PATCH", at, { as: developer, body: bytes.slice(0, 100_000) });
  await it.restart();
  const got = await it.ask("GET", "/v2/token?scope=repository:team/resumed:pull,push", { as: developer });
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
  const secret = await it.pushBlob("other/private", bytesOf(100), maintainer);
  expect(await code(await it.ask("GET", `/v2/team/app/blobs/${secret}`, { as: developer }))).toEqual([
    404,
    "BLOB_UNKNOWN",
  ]);
  const mount = (query: string, as = developer): Promise<Response> =>
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
    expect((await it.ask("GET", response.headers.get("location") ?? "", { as: developer })).status).toBe(204);
  }
  const mounted = await mount(`mount=${secret}&from=other/private`, maintainer);
  expect([mounted.status, mounted.headers.get("location")]).toEqual([201, `/v2/team/app/blobs/${secret}`]);
  expect((await it.ask("HEAD", `/v2/team/app/blobs/${secret}`, { as: developer })).status).toBe(200);
  const second = await it.pushBlob("other/private", bytesOf(100), maintainer);
  expect((await mount(`mount=${second}`, maintainer)).status).toBe(201);
});

test("a mount within a project needs no token for the source, one from another project does", async () => {
  const tokenFor = async (scope: string): Promise<string> => {
    const answer = await it.ask("GET", `/v2/token?scope=${scope}`, { as: maintainer });
    return `Bearer ${((await answer.json()) as { token: string }).token}`;
  };
  const near = await it.pushBlob("team/near", bytesOf(100), maintainer);
  const far = await it.pushBlob("other/far", bytesOf(100), maintainer);
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
    const bytes = bytesOf(length);
    const at = `/v2/team/parts/blobs/${await it.pushBlob("team/parts", bytes, developer)}`;
    for (const turn of ["first", "again"]) {
      const part = (range: string): Promise<Response> => it.ask("GET", at, { as: guest, headers: { range } });
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
        const head = await it.ask("HEAD", at, { as: guest, headers: { range } });
        expect([turn, head.status, head.headers.get("content-length")]).toEqual([turn, 200, String(length)]);
      }
      const whole = await it.ask("GET", at, { as: guest });
      expect([whole.status, (await whole.arrayBuffer()).byteLength]).toEqual([200, length]);
      const fresh = await it.ask("GET", at, {
        as: guest,
        headers: { "if-none-match": whole.headers.get("etag") ?? "" },
      });
      expect([fresh.status, await fresh.text()]).toEqual([304, ""]);
    }
  }
});

test("a manifest comes back byte for byte, by tag and by digest, with GET and HEAD alike", async () => {
  const { text, digest, response } = await pushImage("team/image", "v1", {
    "x-custom": { kept: [1, " 2 "] },
  });
  expect([response.status, response.headers.get("docker-content-digest")]).toEqual([201, digest]);
  expect(response.headers.get("location")).toBe("/v2/team/image/manifests/v1");
  for (const reference of ["v1", digest, digest.replace(":", "%3A")]) {
    for (const turn of ["first", "remembered"]) {
      const got = await it.ask("GET", `/v2/team/image/manifests/${reference}`, { as: guest });
      const head = await it.ask("HEAD", `/v2/team/image/manifests/${reference}`, { as: guest });
      expect([turn, await got.text(), await head.text()]).toEqual([turn, text, ""]);
      for (const name of ["content-type", "content-length", "docker-content-digest", "etag"])
        expect([name, head.headers.get(name)]).toEqual([name, got.headers.get(name)]);
      expect(got.headers.get("content-type")).toBe(MANIFEST);
      expect(got.headers.get("content-length")).toBe(String(text.length));
    }
  }
});

test("a moved tag is seen at once, a deleted one too, and what was missing is not remembered", async () => {
  const at = "/v2/team/moving/manifests/v1";
  const read = async (): Promise<string> => {
    const response = await it.ask("GET", at, { as: guest });
    return response.ok ? response.text() : String(response.status);
  };
  expect([await read(), await read()]).toEqual(["404", "404"]);
  const first = await pushImage("team/moving", "v1");
  expect([await read(), await read()]).toEqual([first.text, first.text]);
  const second = await pushImage("team/moving", "v1");
  expect(await read()).toBe(second.text);
  expect((await it.ask("DELETE", at, { as: maintainer })).status).toBe(202);
  expect(await read()).toBe("404");
  expect((await it.ask("DELETE", at, { as: maintainer })).status).toBe(404);
});

test("a revoked token fails at the next request, remembered answers notwithstanding", async () => {
  await pushImage("team/revoked", "v1");
  const id = await it.accounts.user("leaver", { roles: { team: "guest" } });
  const token = await it.accounts.token(id);
  const direct = basic("leaver", token.secret);
  const got = await it.ask("GET", "/v2/token?scope=repository:team/revoked:pull", { as: direct });
  const bearer = `Bearer ${((await got.json()) as { token: string }).token}`;
  const ask = async (as: string): Promise<number> =>
    (await it.ask("HEAD", "/v2/team/revoked/manifests/v1", { as })).status;
  expect([await ask(direct), await ask(direct), await ask(bearer), await ask(bearer)]).toEqual([
    200, 200, 200, 200,
  ]);
  const { catalog, clock } = it.accounts;
  await catalog.write(["access"], () => catalog.tokens.revoke(id, token.id, clock.now()));
  expect([await ask(direct), await ask(bearer)]).toEqual([401, 401]);
});

test("a remembered answer ends with its credential", async () => {
  await pushImage("team/ending", "v1");
  const id = await it.accounts.user("shortly", { roles: { team: "guest" } });
  const token = await it.accounts.token(id, it.accounts.clock.now() + 5000);
  const as = basic("shortly", token.secret);
  const ask = (): Promise<Response> => it.ask("HEAD", "/v2/team/ending/manifests/v1", { as });
  const first = await ask();
  expect([first.status, first.headers.get("warning")]).toEqual([
    200,
    '299 - "the secret of this login expires within a day"',
  ]);
  it.accounts.clock.forward(5001);
  expect((await ask()).status).toBe(401);
});

test("manifests that cannot be taken, each with its reason", async () => {
  await it.pushBlob("team/bad", EMPTY, developer);
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(EMPTY), size: 2 };
  const put = async (reference: string, body: unknown, type = MANIFEST): Promise<[number, string]> =>
    code(
      await it.ask("PUT", `/v2/team/bad/manifests/${reference}`, {
        as: developer,
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": type },
      }),
    );
  const good = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [] };
  expect(await put("x", "not json")).toEqual([400, "MANIFEST_INVALID"]);
  expect(await put("x", { ...good, mediaType: INDEX })).toEqual([400, "MANIFEST_INVALID"]);
  expect(await put("x", { ...good, manifests: [] })).toEqual([400, "MANIFEST_INVALID"]);
  expect(await put("x", { ...good, mediaType: "a/b\r\nx: y" }, "a/b\\r\\nx: y")).toEqual([
    400,
    "MANIFEST_INVALID",
  ]);
  expect(await put(digestOf("other"), good)).toEqual([400, "DIGEST_INVALID"]);
  expect(await put("sha256:baddigeststring", good)).toEqual([400, "DIGEST_INVALID"]);
  expect(await put("-bad-tag", good)).toEqual([400, "NAME_INVALID"]);
  const missing = { mediaType: "x/y", digest: digestOf("missing"), size: 7 };
  expect(await put("x", { ...good, layers: [missing] })).toEqual([404, "MANIFEST_BLOB_UNKNOWN"]);
  expect(await put("x", { schemaVersion: 2, mediaType: INDEX, manifests: [missing] }, INDEX)).toEqual([
    404,
    "MANIFEST_BLOB_UNKNOWN",
  ]);
  expect((await it.ask("GET", "/v2/team/bad/manifests/x", { as: developer })).status).toBe(404);
  expect((await it.ask("GET", "/v2/team/bad/manifests/sha256:baddigeststring", { as: guest })).status).toBe(
    404,
  );
});

test("manifests at the edge: 4,393,216 bytes, and a clear 413 above", async () => {
  await it.pushBlob("team/edge", EMPTY, developer);
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(EMPTY), size: 2 };
  const sized = (size: number): string => {
    const empty = JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config,
      layers: [],
      annotations: { a: "" },
    });
    return empty.replace('"a":""', `"a":"${"x".repeat(size - empty.length)}"`);
  };
  const put = (body: string | ReadableStream): Promise<Response> =>
    it.ask("PUT", "/v2/team/edge/manifests/large", {
      as: developer,
      body,
      headers: { "content-type": MANIFEST },
    });
  const largest = sized(4_393_216);
  expect((await put(largest)).status).toBe(201);
  const got = await it.ask("GET", "/v2/team/edge/manifests/large", { as: guest });
  expect((await got.text()) === largest).toBe(true);
  expect(await code(await put(sized(4_393_217)))).toEqual([413, "SIZE_INVALID"]);
  expect((await put(new Blob([sized(4_393_217)]).stream())).status).toBe(413);
});

test("foreign layers, Docker schema 2 and unknown media types are taken", async () => {
  await it.pushBlob("team/odd", EMPTY, developer);
  const put = async (type: string, body: unknown): Promise<number> =>
    (
      await it.ask("PUT", "/v2/team/odd/manifests/x", {
        as: developer,
        body: JSON.stringify(body),
        headers: { "content-type": type },
      })
    ).status;
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(EMPTY), size: 2 };
  const foreign = {
    mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    digest: digestOf("elsewhere"),
    size: 9,
    urls: ["https://layers.example/x"],
  };
  expect(await put(MANIFEST, { schemaVersion: 2, config, layers: [foreign] })).toBe(201);
  const docker = "application/vnd.docker.distribution.manifest.v2+json";
  expect(await put(docker, { schemaVersion: 2, mediaType: docker, config, layers: [] })).toBe(201);
  expect(await put("application/vnd.example.thing+json", { anything: true })).toBe(201);
  expect(await put("text/html", { page: "<script>" })).toBe(201);
  const page = await it.ask("GET", "/v2/team/odd/manifests/x", { as: guest });
  expect(page.headers.get("content-security-policy")).toBe("sandbox");
});

test("several tags in one push", async () => {
  await it.pushBlob("team/tags", EMPTY, developer);
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(EMPTY), size: 2 };
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [] });
  const put = (query: string): Promise<Response> =>
    it.ask("PUT", `/v2/team/tags/manifests/${digestOf(body, "sha512")}?${query}`, {
      as: developer,
      body,
      headers: { "content-type": MANIFEST },
    });
  const pushed = await put("tag=a&tag=b&tag=a");
  expect([pushed.status, pushed.headers.get("oci-tag")]).toEqual([201, "a, b, a"]);
  expect(pushed.headers.get("docker-content-digest")).toBe(digestOf(body, "sha512"));
  const list = await it.ask("GET", "/v2/team/tags/tags/list", { as: guest });
  expect(await list.json()).toEqual({ name: "team/tags", tags: ["a", "b"] });
  expect((await put("tag=good&tag=..bad")).status).toBe(400);
  expect((await it.ask("HEAD", "/v2/team/tags/manifests/good", { as: guest })).status).toBe(404);
  expect((await put(Array.from({ length: 101 }, (_, index) => `tag=t${index}`).join("&"))).status).toBe(400);
});

test("tags page by page, following the links", async () => {
  const tags = Array.from({ length: 25 }, (_, index) => `t${String(index).padStart(2, "0")}`);
  for (const tag of tags.toReversed()) await pushImage("team/many", tag);
  const found: string[] = [];
  let next: string | undefined = "/v2/team/many/tags/list?n=10";
  let pages = 0;
  while (next !== undefined) {
    const response: Response = await it.ask("GET", next, { as: guest });
    found.push(...((await response.json()) as { tags: string[] }).tags);
    next = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
    pages++;
  }
  expect([found, pages]).toEqual([tags, 3]);
  const none = await it.ask("GET", "/v2/team/many/tags/list?n=0", { as: guest });
  expect([await none.json(), none.headers.get("link")]).toEqual([{ name: "team/many", tags: [] }, null]);
  const after = await it.ask("GET", "/v2/team/many/tags/list?last=t23x", { as: guest });
  expect(((await after.json()) as { tags: string[] }).tags).toEqual(["t24"]);
  for (const n of ["-1", "x", "1e3"])
    expect((await it.ask("GET", `/v2/team/many/tags/list?n=${n}`, { as: guest })).status).toBe(400);
  expect(await code(await it.ask("GET", "/v2/team/none/tags/list", { as: guest }))).toEqual([
    404,
    "NAME_UNKNOWN",
  ]);
});

test("referrers: always an index, filtered on request, also where the subject never came", async () => {
  const subject = await pushImage("team/signed", "v1");
  const refer = (artifactType: string, to: string) =>
    pushImage("team/signed", `sig-${Math.random().toString(36).slice(2)}`, {
      artifactType,
      subject: { mediaType: MANIFEST, digest: to, size: 100 },
      annotations: { by: artifactType },
    });
  const first = await refer("application/vnd.example.signature", subject.digest);
  expect(first.response.headers.get("oci-subject")).toBe(subject.digest);
  const second = await refer("application/vnd.example.sbom", subject.digest);
  const list = async (path: string) => {
    const response = await it.ask("GET", path, { as: guest });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, INDEX]);
    const body = (await response.json()) as {
      schemaVersion: number;
      mediaType: string;
      manifests: { digest: string }[];
    };
    expect([body.schemaVersion, body.mediaType]).toEqual([2, INDEX]);
    return { response, manifests: body.manifests };
  };
  const all = await list(`/v2/team/signed/referrers/${subject.digest}`);
  expect(all.manifests.map((entry) => entry.digest).sort()).toEqual([first.digest, second.digest].sort());
  expect(all.response.headers.get("oci-filters-applied")).toBeNull();
  const some = await list(
    `/v2/team/signed/referrers/${subject.digest}?artifactType=${encodeURIComponent("application/vnd.example.sbom")}`,
  );
  expect(some.response.headers.get("oci-filters-applied")).toBe("artifactType");
  expect(some.manifests as unknown).toEqual([
    {
      mediaType: MANIFEST,
      digest: second.digest,
      size: second.text.length,
      artifactType: "application/vnd.example.sbom",
      annotations: { by: "application/vnd.example.sbom" },
    },
  ]);
  const one = await list(`/v2/team/signed/referrers/${subject.digest}?n=1`);
  const link = /^<([^>]+)>; rel="next"$/.exec(one.response.headers.get("link") ?? "")?.[1] ?? "";
  const rest = await list(link);
  expect([...one.manifests, ...rest.manifests]).toEqual(all.manifests);
  expect((await list(`/v2/team/signed/referrers/${digestOf("never")}`)).manifests).toEqual([]);
  expect((await list(`/v2/team/nothing/referrers/${digestOf("never")}`)).manifests).toEqual([]);
  expect((await it.ask("GET", "/v2/team/signed/referrers/nonsense", { as: guest })).status).toBe(400);
  await it.ask("DELETE", `/v2/team/signed/manifests/${first.digest}`, { as: maintainer });
  expect(
    (await list(`/v2/team/signed/referrers/${subject.digest}`)).manifests.map((entry) => entry.digest),
  ).toEqual([second.digest]);
});

test("deletions: blobs that are used stay, manifests take their tags with them", async () => {
  const { digest, layer } = await pushImage("team/deleted", "v1");
  expect((await it.ask("DELETE", `/v2/team/deleted/blobs/${layer}`, { as: maintainer })).status).toBe(405);
  expect((await it.ask("DELETE", `/v2/team/deleted/manifests/${digest}`, { as: maintainer })).status).toBe(
    202,
  );
  expect((await it.ask("HEAD", "/v2/team/deleted/manifests/v1", { as: guest })).status).toBe(404);
  expect((await it.ask("HEAD", `/v2/team/deleted/blobs/${layer}`, { as: guest })).status).toBe(200);
  expect((await it.ask("DELETE", `/v2/team/deleted/blobs/${layer}`, { as: maintainer })).status).toBe(202);
  expect((await it.ask("HEAD", `/v2/team/deleted/blobs/${layer}`, { as: guest })).status).toBe(404);
  expect((await it.ask("DELETE", `/v2/team/deleted/blobs/${layer}`, { as: maintainer })).status).toBe(404);
});

test("the catalog shows what the caller may pull, page by page", async () => {
  await pushImage("other/hidden", "v1");
  const list = async (path: string, as: string) => {
    const response = await it.ask("GET", path, { as });
    const { repositories } = (await response.json()) as { repositories: string[] };
    return { repositories, link: response.headers.get("link") };
  };
  const all = await list("/v2/_catalog", maintainer);
  expect(all.repositories).toContain("other/hidden");
  const seen = await list("/v2/_catalog", guest);
  expect(seen.repositories).toEqual(all.repositories.filter((name) => !name.startsWith("other/")));
  expect((await list("/v2/_catalog", stranger)).repositories).toEqual(
    all.repositories.filter((name) => name.startsWith("open/")),
  );
  const paged: string[] = [];
  let next: string | undefined = "/v2/_catalog?n=2";
  while (next !== undefined) {
    const page = await list(next, guest);
    paged.push(...page.repositories);
    next = /^<([^>]+)>; rel="next"$/.exec(page.link ?? "")?.[1];
  }
  expect(paged).toEqual(seen.repositories);
  const narrow = await it.ask("GET", "/v2/token?scope=repository:team/app:pull", { as: guest });
  const as = `Bearer ${((await narrow.json()) as { token: string }).token}`;
  expect((await it.ask("GET", "/v2/_catalog", { as })).status).toBe(401);
});

test("methods that an address does not have are 405, and say which it has", async () => {
  for (const [method, path, allow] of [
    ["POST", "/v2/team/app/manifests/v1", "DELETE, GET, HEAD, PUT"],
    ["PUT", `/v2/team/app/blobs/${digestOf("x")}`, "DELETE, GET, HEAD"],
    ["GET", "/v2/team/app/blobs/uploads/", "POST"],
    ["POST", "/v2/team/app/tags/list", "GET, HEAD"],
    ["DELETE", "/v2/", "GET, HEAD"],
    ["DELETE", "/v2/token", "GET, POST"],
  ] as const) {
    const response = await it.ask(method, path, { as: maintainer });
    expect([path, response.status, response.headers.get("allow")]).toEqual([path, 405, allow]);
  }
});

test("names that are none", async () => {
  for (const name of ["Team/app", "team/../app", "team//app", "-x/y", `team/${"a".repeat(300)}`]) {
    const response = await it.ask("GET", `/v2/${name}/tags/list`, { as: maintainer });
    expect([name, [400, 404].includes(response.status)]).toEqual([name, true]);
  }
  await pushImage("team/blobs/manifests/uploads", "list");
  const got = await it.ask("GET", "/v2/team/blobs/manifests/uploads/manifests/list", { as: guest });
  expect(got.status).toBe(200);
});

test("a second process on the same data sees a moved tag and a revoked token at its next request", async () => {
  const { dir, clock } = it.accounts;
  const catalog = await openCatalog({ dir, clock });
  const access = createAccess({ catalog, clock });
  const blobs = await openFolderStore({ dir: join(dir, "blobs") });
  const second = createRegistry({ catalog, access, blobs, log: silentLogger, clock });
  const id = await it.accounts.user("both", { roles: { team: "developer" } });
  const token = await it.accounts.token(id);
  const as = basic("both", token.secret);
  const ask = async (method: string, path: string, body?: Uint8Array<ArrayBuffer>): Promise<Response> =>
    second.fetch(
      new Request(`http://second${path}`, {
        method,
        headers: { authorization: as },
        ...(body === undefined ? {} : { body }),
      }),
      { address: "192.0.2.1", secure: false },
    );
  try {
    const first = await pushImage("team/shared", "v1");
    const at = "/v2/team/shared/manifests/v1";
    expect(await (await ask("GET", at)).text()).toBe(first.text);
    const moved = await pushImage("team/shared", "v1");
    expect(await (await ask("GET", at)).text()).toBe(moved.text);

    const bytes = bytesOf(200_000);
    const started = await it.ask("POST", "/v2/team/shared/blobs/uploads/", { as });
    const upload = started.headers.get("location") ?? "";
    await it.ask("PATCH", upload, { as, body: bytes.slice(0, 100_000) });
    expect((await ask("PATCH", upload, bytes.slice(100_000, 150_000))).headers.get("range")).toBe("0-149999");
    const put = await it.ask("PUT", `${upload}?digest=${digestOf(bytes)}`, {
      as,
      body: bytes.slice(150_000),
    });
    expect(put.status).toBe(201);
    const got = await ask("GET", `/v2/team/shared/blobs/${digestOf(bytes)}`);
    expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);

    await it.accounts.catalog.write(["access"], () =>
      it.accounts.catalog.tokens.revoke(id, token.id, clock.now()),
    );
    expect((await ask("GET", at)).status).toBe(401);
  } finally {
    await blobs.close();
    await access.close();
    await catalog.close();
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
    const refused = await small.ask("PATCH", two, { as, body: bytesOf(10) });
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([503, true]);
    // A large manifest lies in memory while it comes: it takes a place too.
    const manifest = { as, body: bytesOf(100_000), headers: { "content-type": MANIFEST } };
    expect((await small.ask("PUT", "/v2/team/app/manifests/large", manifest)).status).toBe(503);
    controller.close();
    expect((await slow).status).toBe(202);
    expect((await small.ask("PATCH", two, { as, body: bytesOf(10) })).status).toBe(202);
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
    await small.ask("PATCH", left, { as, body: bytesOf(10) });
    const [name = ""] = readdirSync(folder);
    const early = new Date(small.accounts.clock.now() - 3_600_000);
    utimesSync(join(folder, name), early, early);
    small.accounts.clock.forward(3_600_000);
    const fresh = await begin();
    while (readdirSync(folder).length > 0) await new Promise(setImmediate);
    expect(await code(await small.ask("GET", left, { as }))).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
    expect((await small.ask("GET", fresh, { as })).status).toBe(204);
  } finally {
    await small.close();
  }
});

test("nothing above was a fault of the registry", () => {
  expect(it.logged).toEqual([]);
});

test("a blob whose bytes were lost counts as absent, and is whole once it is pushed again", async () => {
  const bytes = bytesOf(100 * KIB);
  const digest = await it.pushBlob("team/lost", bytes, developer);
  const folder = join(it.accounts.dir, "blobs", "blobs", digest.slice(7, 9));
  for (const name of readdirSync(folder)) if (name.includes(digest.slice(7))) unlinkSync(join(folder, name));

  const path = `/v2/team/lost/blobs/${digest}`;
  expect((await it.ask("HEAD", path, { as: developer })).status).toBe(404);
  expect(await code(await it.ask("GET", path, { as: developer }))).toEqual([404, "BLOB_UNKNOWN"]);
  expect(it.logged.at(-1)).toEqual({
    message: "the bytes of a blob are lost: push it again",
    fields: { repository: "team/lost", digest },
  });
  // A mount would have the client skip the upload that makes it whole.
  const mount = `/v2/team/other/blobs/uploads/?mount=${digest}&from=team/lost`;
  expect((await it.ask("POST", mount, { as: developer })).status).toBe(202);

  await it.pushBlob("team/other", bytes, developer);
  for (const repository of ["lost", "other"]) {
    const got = await it.ask("GET", `/v2/team/${repository}/blobs/${digest}`, { as: developer });
    expect(digestOf(new Uint8Array(await got.arrayBuffer()))).toBe(digest);
  }
  expect(readdirSync(folder).filter((name) => name.includes(digest.slice(7)))).toHaveLength(1);
  await it.pushBlob("team/lost", bytes, developer);
  expect(readdirSync(folder).filter((name) => name.includes(digest.slice(7)))).toHaveLength(1);
});
