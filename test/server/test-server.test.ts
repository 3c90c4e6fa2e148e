/** What everybody's cross-room tests stand on: a server in this process, filled through its own API. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { startTestServer } from "../support/test-server.ts";

test("a test server has an admin, projects, robots and users, and leaves nothing behind", async () => {
  const server = await startTestServer();
  try {
    await server.createProject("team");
    await server.createProject("open", "public");
    const robot = await server.createRobot("team", "ci", ["pull"]);
    expect(robot.username).toBe("robot-team-ci");
    const user = await server.createUser("alice");
    expect((await server.api("GET", "/whoami", undefined, user))["name"]).toBe("alice");
    expect((await server.fetch("/api/v1/whoami", { as: null })).status).toBe(401);
    expect((await server.fetch("/api/v1/openapi.json", { as: null })).status).toBe(200);
    const text = server.logLines.join("");
    for (const secret of [server.admin.secret, robot.secret, user.secret]) expect(text).not.toContain(secret);
  } finally {
    await server.stop();
  }
  expect(existsSync(server.dataDir)).toBe(false);
});
