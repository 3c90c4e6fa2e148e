import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "#core";
import { type AccountsFixture, basic, createAccountsFixture } from "../../test/support/accounts.ts";
import { type Api, createApi } from "./create-api.ts";

let fixture: AccountsFixture;
let api: Api;
let adminLogin: string;
const adminPassword = new Secret(`pw-${crypto.randomUUID()}`);

beforeEach(async () => {
  fixture = await createAccountsFixture();
  const { catalog, access, clock, dir } = fixture;
  api = createApi({ catalog, access, dataDir: dir, now: () => clock.now() });
  await fixture.user("admin", { admin: true, password: adminPassword });
  adminLogin = basic("admin", adminPassword);
});
afterEach(() => fixture.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { items?: Record<string, unknown>[] };
  readonly text: string;
}

async function call(
  login: string | undefined,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const request = new Request(`http://registry.test/api/v1${path}`, {
    method,
    headers: {
      ...(login === undefined ? {} : { authorization: login }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const response = await api.fetch(request, { address: "192.0.2.1" });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text.startsWith("{") ? JSON.parse(text) : {},
  };
}

/** A user with a token to sign in with, and roles. */
async function person(name: string, roles: Parameters<AccountsFixture["user"]>[1] = {}): Promise<string> {
  const id = await fixture.user(name, roles);
  return basic(name, (await fixture.token(id)).secret);
}

test("the contracts for other people's scripts", async () => {
  const project = await call(adminLogin, "POST", "/projects", { name: "team-a", visibility: "private" });
  expect([project.status, project.body["name"], project.body["visibility"]]).toEqual([
    201,
    "team-a",
    "private",
  ]);

  const robot = await call(adminLogin, "POST", "/projects/team-a/robots", {
    name: "ci",
    actions: ["pull", "push"],
    expiresInDays: 30,
  });
  expect(robot.status).toBe(201);
  expect(robot.body["username"]).toBe("robot-team-a-ci");
  expect(robot.body["secret"]).toMatch(/^wharf_[A-Za-z0-9_-]{32}$/);
  expect(robot.body["expiresAt"]).toBe(new Date(fixture.clock.now() + 30 * 86_400_000).toISOString());
  const robotLogin = basic("robot-team-a-ci", String(robot.body["secret"]));
  const caller = await fixture.access.authenticate(robotLogin, "::1");
  expect(fixture.access.allows(caller, "push", "team-a/app")).toBe(true);
  expect(fixture.access.allows(caller, "delete", "team-a/app")).toBe(false);
  expect((await call(robotLogin, "GET", "/whoami")).body).toMatchObject({ kind: "robot", project: "team-a" });

  await call(adminLogin, "POST", "/users", { name: "alice" });
  const token = await call(adminLogin, "POST", "/users/alice/tokens", { name: "laptop", expiresInDays: 7 });
  expect([token.status, token.body["username"]]).toEqual([201, "alice"]);
  const aliceLogin = basic("alice", String(token.body["secret"]));
  expect((await call(aliceLogin, "GET", "/whoami")).body).toMatchObject({ kind: "user", name: "alice" });

  const list = await call(aliceLogin, "GET", "/projects");
  expect([list.status, list.body]).toEqual([200, { items: [], next: null }]);
  const refused = await call(aliceLogin, "GET", "/projects/team-a");
  expect([refused.status, refused.body["code"]]).toEqual([404, "PROJECT_UNKNOWN"]);
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
});

test("the description is served to everybody, and names every route and no secret", async () => {
  const { status, body } = await call(undefined, "GET", "/openapi.json");
  expect([status, body["openapi"]]).toEqual([200, "3.1.0"]);
  const paths = Object.keys(body["paths"] as object);
  expect(paths).toContain("/projects/{project}/robots");
  expect(paths).toContain("/users/{user}/tokens/{token}");
});

test("every route of the description refuses the anonymous, a stranger and a wrong login", async () => {
  await fixture.project("team-a");
  const stranger = await person("stranger");
  const description = (await call(undefined, "GET", "/openapi.json")).body;
  const bodies: Readonly<Record<string, unknown>> = {
    "POST /projects": { name: "new" },
    "PATCH /projects/{project}": { description: "x" },
    "PUT /projects/{project}/members/{user}": { role: "owner" },
    "POST /projects/{project}/robots": { name: "x" },
    "PATCH /projects/{project}/robots/{robot}": { disabled: true },
    "POST /robots": { name: "x", projects: ["team-a"] },
    "PATCH /robots/{robot}": { disabled: true },
    "POST /users": { name: "x" },
    "PATCH /users/{user}": { admin: true },
    "PATCH /projects/{project}/robots/{robot}/tokens/{token}": { name: "x" },
    "PATCH /robots/{robot}/tokens/{token}": { name: "x" },
    "PATCH /users/{user}/tokens/{token}": { name: "x" },
    "PUT /users/{user}/password": { newPassword: "a new password", currentPassword: "x" },
  };
  const open = new Set(["GET /projects", "GET /whoami", "POST /projects"]);
  let routes = 0;
  for (const [path, methods] of Object.entries(description["paths"] as Record<string, object>))
    for (const method of Object.keys(methods).map((name) => name.toUpperCase())) {
      routes++;
      const real = path
        .replace("{project}", "team-a")
        .replace("{user}", "admin")
        .replace("{robot}", "x")
        .replace("{token}", "1");
      const body =
        bodies[`${method} ${path}`] ?? (method === "POST" || method === "PATCH" ? { name: "x" } : undefined);
      const where = `${method} ${path}`;
      if (where !== "GET /projects")
        expect([where, (await call(undefined, method, real, body)).status]).toEqual([where, 401]);
      expect([where, (await call(basic("admin", "wrong-password"), method, real, body)).status]).toEqual([
        where,
        routes <= 5 ? 401 : 429,
      ]);
      if (open.has(where)) continue;
      const { status } = await call(stranger, method, real, body);
      expect([where, status === 403 || status === 404]).toEqual([where, true]);
    }
  expect(routes).toBeGreaterThan(25);
});

test("unknown keys, wrong types, wrong bodies and long ones are refused", async () => {
  const alice = await person("alice");
  const cases: [string, string, unknown, string][] = [
    ["POST", "/projects", { name: "x", admin: true }, "INVALID_INPUT"],
    ["POST", "/projects", { name: 7 }, "INVALID_INPUT"],
    ["POST", "/projects", { name: "Not A Name" }, "NAME_INVALID"],
    ["POST", "/projects", "{", "INVALID_INPUT"],
    ["POST", "/projects", { name: "x", description: "y".repeat(70_000) }, "TOO_LARGE"],
    ["PATCH", "/users/alice", { admin: true }, "DENIED"],
    ["PATCH", "/users/alice", { id: 1 }, "INVALID_INPUT"],
    ["GET", "/projects?limit=100000", undefined, "INVALID_INPUT"],
    ["GET", "/projects?sort=name", undefined, "INVALID_INPUT"],
    ["GET", "/nothing", undefined, "NOT_FOUND"],
  ];
  for (const [method, path, body, code] of cases)
    expect([path, (await call(alice, method, path, body)).body["code"]]).toEqual([path, code]);
  const form = await call(alice, "POST", "/projects", "name=x", { "content-type": "text/plain" });
  expect(form.body["code"]).toBe("INVALID_INPUT");
  expect(fixture.catalog.users.find("alice")?.admin).toBe(false);
});

test("lists are pages by key", async () => {
  for (const name of ["a", "b", "c", "d", "e"]) await call(adminLogin, "POST", "/projects", { name });
  const seen: unknown[] = [];
  let after: string | null = "";
  for (let page = 0; page < 4 && after !== null; page++) {
    const { body } = await call(adminLogin, "GET", `/projects?limit=2&after=${after}`);
    seen.push(...(body.items ?? []).map((item) => item["name"]));
    after = body["next"] as string | null;
  }
  expect(seen).toEqual(["a", "b", "c", "d", "e"]);
  expect(after).toBeNull();
});

test("roles: members below owner by maintainers, owners by owners, and one owner stays", async () => {
  await fixture.project("team-a");
  const owner = await person("olga", { roles: { "team-a": "owner" } });
  const maintainer = await person("mia", { roles: { "team-a": "maintainer" } });
  const developer = await person("dan", { roles: { "team-a": "developer" } });
  const set = async (login: string, user: string, role: string): Promise<number> =>
    (await call(login, "PUT", `/projects/team-a/members/${user}`, { role })).status;
  await fixture.user("new");
  expect(await set(developer, "new", "guest")).toBe(403);
  expect(await set(maintainer, "new", "maintainer")).toBe(200);
  expect(await set(maintainer, "new", "owner")).toBe(403);
  expect(await set(maintainer, "olga", "guest")).toBe(403);
  expect(await set(maintainer, "mia", "owner")).toBe(403);
  expect((await call(maintainer, "DELETE", "/projects/team-a/members/olga")).status).toBe(403);
  expect(await set(owner, "olga", "guest")).toBe(409);
  expect((await call(owner, "DELETE", "/projects/team-a/members/olga")).status).toBe(409);
  expect(await set(owner, "new", "owner")).toBe(200);
  expect((await call(owner, "DELETE", "/projects/team-a/members/olga")).status).toBe(204);
  expect((await call(owner, "GET", "/projects/team-a")).status).toBe(404);
  expect((await call(developer, "DELETE", "/projects/team-a/members/dan")).status).toBe(204);
  const members = (await call(maintainer, "GET", "/projects/team-a/members")).body.items;
  expect(members).toEqual([
    { user: "mia", role: "maintainer" },
    { user: "new", role: "owner" },
  ]);
});

test("robots: read-only ones by developers, writing ones by maintainers, found through their project alone", async () => {
  await fixture.project("team-a");
  await fixture.project("team-b");
  const developer = await person("dan", { roles: { "team-a": "developer", "team-b": "owner" } });
  const maintainer = await person("mia", { roles: { "team-a": "maintainer" } });
  const path = "/projects/team-a/robots";
  const make = async (login: string, name: string, actions: string[]): Promise<number> =>
    (await call(login, "POST", path, { name, actions })).status;
  expect(await make(developer, "reader", ["pull"])).toBe(201);
  expect(await make(developer, "writer", ["pull", "push"])).toBe(403);
  expect(await make(maintainer, "writer", ["pull", "push"])).toBe(201);
  expect(await make(maintainer, "odd", ["push"])).toBe(400);
  expect(await make(maintainer, "writer", ["pull"])).toBe(409);
  expect((await call(developer, "PATCH", `${path}/reader`, { actions: ["pull", "push"] })).status).toBe(403);
  expect((await call(developer, "PATCH", `${path}/writer`, { actions: ["pull"] })).status).toBe(403);
  expect((await call(developer, "POST", `${path}/writer/tokens`, { name: "mine" })).status).toBe(403);
  expect((await call(developer, "DELETE", `${path}/writer`)).status).toBe(403);
  // An owner of another project does not reach it through that project.
  expect((await call(developer, "DELETE", "/projects/team-b/robots/writer")).status).toBe(404);
  expect((await call(developer, "PATCH", `${path}/reader`, { disabled: true })).body["disabled"]).toBe(true);
  expect((await call(maintainer, "PATCH", `${path}/writer`, { actions: ["pull"] })).body["actions"]).toEqual([
    "pull",
  ]);
  expect((await call(maintainer, "DELETE", `${path}/writer`)).status).toBe(204);
  expect((await call(developer, "GET", path)).body.items?.map((robot) => robot["name"])).toEqual(["reader"]);
});

test("two robots that would sign in with one name collide clearly, and users may not take such names", async () => {
  for (const name of ["a", "a-b"]) await call(adminLogin, "POST", "/projects", { name });
  expect((await call(adminLogin, "POST", "/projects/a-b/robots", { name: "c" })).body["username"]).toBe(
    "robot-a-b-c",
  );
  const second = await call(adminLogin, "POST", "/projects/a/robots", { name: "b-c" });
  expect([second.status, second.body["code"]]).toEqual([409, "ALREADY_EXISTS"]);
  expect((await call(adminLogin, "POST", "/robots", { name: "a-b-c", projects: ["a"] })).status).toBe(409);
  expect((await call(adminLogin, "POST", "/users", { name: "robot-x" })).body["code"]).toBe("NAME_INVALID");
});

test("site robots pull over the projects they name, and only admins make them", async () => {
  for (const name of ["a", "b", "c"]) await call(adminLogin, "POST", "/projects", { name });
  const alice = await person("alice", { roles: { a: "owner" } });
  expect((await call(alice, "POST", "/robots", { name: "node", projects: ["a"] })).status).toBe(403);
  expect(
    (await call(adminLogin, "POST", "/robots", { name: "node", projects: ["a", "nowhere"] })).status,
  ).toBe(404);
  const made = await call(adminLogin, "POST", "/robots", { name: "node", projects: ["a", "b"] });
  expect([made.status, made.body["username"], made.body["projects"]]).toEqual([
    201,
    "robot-node",
    ["a", "b"],
  ]);
  const login = basic("robot-node", String(made.body["secret"]));
  const may = async (): Promise<string[]> => {
    const caller = await fixture.access.authenticate(login, "::1");
    return ["a", "b", "c"].filter((name) => fixture.access.allows(caller, "pull", `${name}/app`));
  };
  expect(await may()).toEqual(["a", "b"]);
  await call(adminLogin, "PATCH", "/robots/node", { projects: ["c"] });
  expect(await may()).toEqual(["c"]);
  expect((await call(login, "GET", "/robots")).status).toBe(403);
  expect((await call(login, "POST", "/projects", { name: "mine" })).status).toBe(403);
});

test("tokens overlap for rotation, are refused at the next request once revoked, and cannot prolong themselves", async () => {
  const id = await fixture.user("alice");
  const limited = await fixture.token(id, fixture.clock.now() + 2 * 86_400_000);
  const login = basic("alice", limited.secret);
  const make = (body: unknown): Promise<Answer> => call(login, "POST", "/users/alice/tokens", body);
  expect((await make({ name: "longer", expiresInDays: 3 })).body["code"]).toBe("DENIED");
  expect((await make({ name: "for ever", expiresInDays: null })).body["code"]).toBe("DENIED");
  const shorter = await make({ name: "shorter", expiresInDays: 1 });
  expect(shorter.status).toBe(201);
  const unsaid = await make({ name: "unsaid" });
  expect(unsaid.body["expiresAt"]).toBe(new Date(fixture.clock.now() + 2 * 86_400_000).toISOString());
  expect((await make({ name: "shorter", expiresInDays: 1 })).status).toBe(409);
  const newLogin = basic("alice", String(shorter.body["secret"]));
  expect((await call(newLogin, "GET", "/whoami")).status).toBe(200);
  expect((await call(login, "DELETE", `/users/alice/tokens/${String(shorter.body["id"])}`)).status).toBe(204);
  const after = await call(newLogin, "GET", "/whoami");
  expect([after.status, after.body["code"]]).toEqual([401, "CREDENTIAL_REVOKED"]);
  expect((await make({ name: "shorter", expiresInDays: 1 })).status).toBe(201);
  const bob = await person("bob");
  expect((await call(bob, "GET", "/users/alice/tokens")).status).toBe(404);
  expect((await call(bob, "DELETE", `/users/bob/tokens/${String(unsaid.body["id"])}`)).status).toBe(404);
  const list = await call(login, "GET", "/users/alice/tokens");
  expect(list.body.items?.map((token) => token["state"])).toEqual(["active", "revoked", "active", "active"]);
  for (const secret of [limited.secret.reveal(), String(shorter.body["secret"])]) {
    expect(list.text).not.toContain(secret);
    expect(list.text).not.toContain(Buffer.from(secret).toString("base64"));
  }
});

test("a password changes with the current one, the first password's file goes, and the last admin stays", async () => {
  const file = join(fixture.dir, "admin-password");
  writeFileSync(file, adminPassword.reveal());
  const path = "/users/admin/password";
  const next = `pw-${crypto.randomUUID()}`;
  expect((await call(adminLogin, "PUT", path, { newPassword: next })).status).toBe(400);
  expect(
    (await call(adminLogin, "PUT", path, { newPassword: next, currentPassword: "wrong one" })).status,
  ).toBe(401);
  expect(
    (await call(adminLogin, "PUT", path, { newPassword: "short", currentPassword: adminPassword.reveal() }))
      .status,
  ).toBe(400);
  expect(existsSync(file)).toBe(true);
  expect(
    (await call(adminLogin, "PUT", path, { newPassword: next, currentPassword: adminPassword.reveal() }))
      .status,
  ).toBe(204);
  expect(existsSync(file)).toBe(false);
  expect((await call(adminLogin, "GET", "/whoami")).status).toBe(401);
  const login = basic("admin", next);
  expect((await call(login, "GET", "/whoami")).status).toBe(200);
  for (const change of [{ disabled: true }, { admin: false }])
    expect((await call(login, "PATCH", "/users/admin", change)).status).toBe(409);
  expect((await call(login, "DELETE", "/users/admin")).status).toBe(409);
});

test("a Bearer token of the registry manages nothing", async () => {
  const caller = await fixture.access.authenticate(adminLogin, "::1");
  const { token } = await fixture.access.mint(caller, [
    { type: "registry", name: "catalog", actions: ["*"] },
  ]);
  const login = `Bearer ${token}`;
  expect((await call(login, "GET", "/whoami")).body["name"]).toBe("admin");
  for (const [method, path, body] of [
    ["POST", "/projects", { name: "x" }],
    ["POST", "/users", { name: "x" }],
    ["POST", "/users/admin/tokens", { name: "x" }],
    ["GET", "/users", undefined],
  ] as const)
    expect([path, (await call(login, method, path, body)).status]).toEqual([path, 403]);
});

test("a project that holds images goes only when that is said", async () => {
  await call(adminLogin, "POST", "/projects", { name: "team-a" });
  await fixture.catalog.content.putManifest(
    "team-a/app",
    {
      digest: `sha256:${"a".repeat(64)}`,
      mediaType: "application/vnd.oci.image.index.v1+json",
      body: new TextEncoder().encode("{}"),
      artifactType: undefined,
      subject: undefined,
      annotations: {},
      references: [],
    },
    ["latest"],
  );
  const list = await call(adminLogin, "GET", "/projects/team-a/repositories");
  expect(list.body.items?.map((row) => [row["name"], row["tags"]])).toEqual([["team-a/app", 1]]);
  expect((await call(adminLogin, "DELETE", "/projects/team-a")).status).toBe(409);
  expect((await call(adminLogin, "DELETE", "/projects/team-a?withRepositories=true")).status).toBe(204);
  expect((await call(adminLogin, "GET", "/projects/team-a")).status).toBe(404);
});

test("a method that an address does not take is 405 with those that it takes; an address that is not there is 404", async () => {
  for (const [method, path, allow] of [
    ["PUT", "/users", "GET, HEAD, POST"],
    ["POST", "/users/admin", "DELETE, GET, HEAD, PATCH"],
    ["DELETE", "/whoami", "GET, HEAD"],
  ] as const) {
    const answer = await call(adminLogin, method, path);
    expect([answer.status, answer.headers.get("allow"), answer.body["code"]]).toEqual([
      405,
      allow,
      "METHOD_NOT_ALLOWED",
    ]);
  }
  for (const path of ["/nothing", "/users/admin/more/than/that", "/user"])
    expect((await call(adminLogin, "PUT", path)).status).toBe(404);
  // A body that is no JSON is what it was, where the method is right.
  expect((await call(adminLogin, "POST", "/users", "{}", { "content-type": "text/plain" })).status).toBe(400);
});
