/** Who gets into the registry, by its protocol over real HTTP: logins, tokens, what each may see, and that what was taken away is gone at once. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { createAccess } from "#access";
import { openFolderStore } from "#blobs";
import { openCatalog } from "#catalog";
import { silentLogger } from "#core";
import { createRegistry } from "#registry";
import { basic } from "./support/accounts.ts";
import { randomBytes } from "./support/registry-calls.ts";
import { digestOf } from "./support/registry-fixture.ts";
import { createTeamRegistry, errorOf, type TeamRegistry } from "./support/team-registry.ts";

let it: TeamRegistry;

beforeAll(async () => {
  it = await createTeamRegistry();
});
afterAll(() => it.close());

test("nobody gets in without a login, and the challenge is one that Enroot can read", async () => {
  for (const path of ["/v2/", "/v2", "/v2/_catalog", "/v2/_catalog/", "/v2/nothing", "/v2/token/x"]) {
    const response = await it.ask("GET", path);
    expect([path, ...(await errorOf(response))]).toEqual([path, 401, "UNAUTHORIZED"]);
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
  expect(await errorOf(evil)).toEqual([400, "NAME_INVALID"]);
});

test("with a login: 200, and no challenge on success", async () => {
  const ping = await it.ask("GET", "/v2/", { as: it.guest });
  expect([ping.status, await ping.text(), ping.headers.get("www-authenticate")]).toEqual([200, "{}", null]);
});

test("a wrong login is 401 everywhere, with the reason where the caller proved who they are", async () => {
  const wrong = await it.ask("GET", "/v2/", { as: basic("dev", "wrong") });
  expect(await errorOf(wrong)).toEqual([401, "UNAUTHORIZED"]);
  const id = await it.accounts.user("late", { roles: { team: "guest" } });
  const { secret } = await it.accounts.token(id, it.accounts.clock.now() - 1);
  const late = await it.ask("GET", "/v2/", { as: basic("late", secret) });
  expect(late.status).toBe(401);
  expect(await late.text()).toContain("expired");
});

test("a stranger learns nothing, a guest may not push, a push to no project says how to make one", async () => {
  await it.pushImage("team/app", "v1");
  const hidden = await it.ask("GET", "/v2/team/app/manifests/v1", { as: it.stranger });
  const missing = await it.ask("GET", "/v2/nobody/app/manifests/v1", { as: it.stranger });
  expect(hidden.status).toBe(404);
  expect((await hidden.text()).replaceAll("team", "nobody")).toBe(await missing.text());
  expect(await errorOf(await it.ask("POST", "/v2/team/app/blobs/uploads/", { as: it.guest }))).toEqual([
    403,
    "DENIED",
  ]);
  expect(await errorOf(await it.ask("DELETE", "/v2/team/app/manifests/v1", { as: it.developer }))).toEqual([
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
  const lost = await it.ask("POST", "/v2/nobody/app/blobs/uploads/", { as: it.developer });
  expect([lost.status, await lost.text()]).toEqual([
    404,
    expect.stringContaining("wharf project create nobody"),
  ]);
});

test("tokens: GET and POST, what is asked and allowed, never a refresh token", async () => {
  const scopes = "scope=repository:team/app:pull,push,delete&scope=repository:other/app:pull";
  const got = await it.ask("GET", `/v2/token?service=x&${scopes}&offline_token=true&account=dev`, {
    as: it.developer,
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
  expect(await errorOf(other)).toEqual([401, "UNAUTHORIZED"]);
  expect(other.headers.get("www-authenticate")).toEndWith(',error="insufficient_scope"');

  const [, password = ""] = Buffer.from(it.developer.slice(6), "base64").toString().split(":");
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
  expect((await it.ask("GET", `/v2/token?${"scope=a:b:c&".repeat(200)}`, { as: it.developer })).status).toBe(
    400,
  );
});

test("public projects by an anonymous token", async () => {
  const { text } = await it.pushImage("open/app", "v1");
  const token = (await (await it.ask("GET", "/v2/token?scope=repository:open/app:pull,push")).json()) as {
    token: string;
  };
  const as = `Bearer ${token.token}`;
  expect(await (await it.ask("GET", "/v2/open/app/manifests/v1", { as })).text()).toBe(text);
  expect((await it.ask("POST", "/v2/open/app/blobs/uploads/", { as })).status).toBe(401);
  expect((await it.ask("GET", "/v2/", { as })).status).toBe(401);
  expect((await it.ask("GET", "/v2/team/app/manifests/v1", { as })).status).toBe(401);
});

test("a revoked token fails at the next request, remembered answers notwithstanding", async () => {
  await it.pushImage("team/revoked", "v1");
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
  await it.pushImage("team/ending", "v1");
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

test("the catalog shows what the caller may pull, page by page", async () => {
  await it.pushImage("other/hidden", "v1");
  const list = async (path: string, as: string) => {
    const response = await it.ask("GET", path, { as });
    const { repositories } = (await response.json()) as { repositories: string[] };
    return { repositories, link: response.headers.get("link") };
  };
  const all = await list("/v2/_catalog", it.maintainer);
  expect(all.repositories).toContain("other/hidden");
  const seen = await list("/v2/_catalog", it.guest);
  expect(seen.repositories).toEqual(all.repositories.filter((name) => !name.startsWith("other/")));
  expect((await list("/v2/_catalog", it.stranger)).repositories).toEqual(
    all.repositories.filter((name) => name.startsWith("open/")),
  );
  const paged: string[] = [];
  let next: string | undefined = "/v2/_catalog?n=2";
  while (next !== undefined) {
    const page = await list(next, it.guest);
    paged.push(...page.repositories);
    next = /^<([^>]+)>; rel="next"$/.exec(page.link ?? "")?.[1];
  }
  expect(paged).toEqual(seen.repositories);
  const narrow = await it.ask("GET", "/v2/token?scope=repository:team/app:pull", { as: it.guest });
  const as = `Bearer ${((await narrow.json()) as { token: string }).token}`;
  expect((await it.ask("GET", "/v2/_catalog", { as })).status).toBe(401);
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
    const first = await it.pushImage("team/shared", "v1");
    const at = "/v2/team/shared/manifests/v1";
    expect(await (await ask("GET", at)).text()).toBe(first.text);
    const moved = await it.pushImage("team/shared", "v1");
    expect(await (await ask("GET", at)).text()).toBe(moved.text);

    const bytes = randomBytes(200_000);
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

test("nothing above was a fault of the registry", () => {
  expect(it.logged).toEqual([]);
});
