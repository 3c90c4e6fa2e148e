import { afterEach, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError, Secret } from "#core";
import { type AccountsFixture, createAccountsFixture } from "../../../test/support/accounts.ts";
import { createApi } from "../create-api.ts";
import type { ApiClient, ApiFetch } from "./contract.ts";
import { createApiClient } from "./create-client.ts";

let fixture: AccountsFixture;
let client: ApiClient;
const asked: string[] = [];

beforeEach(async () => {
  fixture = await createAccountsFixture();
  const { catalog, access, clock, dir } = fixture;
  const api = createApi({ catalog, access, dataDir: dir, now: () => clock.now() });
  const fetch: ApiFetch = async (url, request) => {
    asked.push(new URL(url).pathname);
    const response = await api.fetch(new Request(url, request), { address: "::1" });
    return { status: response.status, text: await response.text() };
  };
  const admin = await fixture.user("admin", { admin: true });
  const { secret } = await fixture.token(admin);
  client = createApiClient({
    url: "http://registry.test",
    credentials: { username: "admin", secret },
    fetch,
  });
});
afterEach(() => fixture.close());

test("every call reaches its route", async () => {
  expect((await client.whoami()).name).toBe("admin");
  await client.createProject({ name: "team-a" });
  expect((await client.updateProject("team-a", { visibility: "public" })).visibility).toBe("public");
  expect((await client.readProject("team-a")).role).toBe("owner");
  expect((await client.listProjects({ limit: 1 })).items.length).toBe(1);
  expect((await client.listRepositories("team-a")).items).toEqual([]);
  await client.createUser({ name: "alice" });
  expect((await client.updateUser("alice", { description: "a" })).description).toBe("a");
  expect((await client.readUser("alice")).name).toBe("alice");
  expect((await client.listUsers()).items.length).toBe(2);
  await client.changePassword("alice", { newPassword: `pw-${crypto.randomUUID()}` });
  await client.setMember("team-a", "alice", "guest");
  expect((await client.listMembers("team-a")).items.length).toBe(2);
  await client.removeMember("team-a", "alice");
  await client.createRobot("team-a", { name: "ci", actions: ["pull", "push"], expiresInDays: 1 });
  await client.createSiteRobot({ name: "node", projects: ["team-a"] });
  expect((await client.readRobot("team-a", "ci")).username).toBe("robot-team-a-ci");
  expect((await client.readRobot(undefined, "node")).projects).toEqual(["team-a"]);
  expect((await client.updateRobot("team-a", "ci", { disabled: true })).disabled).toBe(true);
  expect((await client.updateSiteRobot("node", { disabled: true })).disabled).toBe(true);
  expect((await client.listRobots("team-a")).items.length).toBe(1);
  expect((await client.listRobots(undefined)).items.length).toBe(1);
  const holders = [{ user: "alice" }, { robot: "ci", project: "team-a" }, { robot: "node" }];
  for (const holder of holders) {
    const made = await client.createToken(holder, { name: "second" });
    await client.revokeToken(holder, made.id);
    const states = (await client.listTokens(holder)).items.map((token) => token.state);
    expect(states.at(-1)).toBe("revoked");
  }
  await client.deleteRobot("team-a", "ci");
  await client.deleteRobot(undefined, "node");
  await client.deleteUser("alice");
  await client.deleteProject("team-a", { withRepositories: true });
  await expect(client.readProject("team-a")).rejects.toMatchObject({ code: "PROJECT_UNKNOWN" });
});

test("no name leaves its segment of the path", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 12 }), async (name) => {
      asked.length = 0;
      const error: unknown = await client.readUser(name).then(
        () => undefined,
        (cause: unknown) => cause,
      );
      // "admin" itself is there; anything else is refused by one side or the other.
      expect(name === "admin" || error !== undefined).toBe(true);
      for (const path of asked)
        expect(path.startsWith("/api/v1/users/") && path.split("/").length === 5).toBe(true);
    }),
    { seed: 3, numRuns: 150, examples: [["."], [".."], ["a/b"], ["a?b"], ["a#b"], ["%2e%2e"]] },
  );
});

test("an answer of something else is said to be one", async () => {
  for (const [status, text] of [
    [200, "<html>"],
    [404, "not here"],
    [500, '{"code":"NO_SUCH_CODE","detail":"x"}'],
  ] as const) {
    const other = createApiClient({
      url: "http://registry.test",
      credentials: { username: "a", secret: new Secret("b") },
      fetch: async () => ({ status, text }),
    });
    const error: unknown = await other.whoami().catch((cause: unknown) => cause);
    expect(isAppError(error, "REGISTRY_FAILED")).toBe(true);
  }
});
