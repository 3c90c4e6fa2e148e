/** What one server remembers, another one of the same data takes back: each change is obeyed by both at the next request. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { ask, manifestType, pushBlob, sha256Of, smallImage } from "../support/registry-calls.ts";
import {
  basicAuthorization,
  startTestServer,
  type TestLogin,
  type TestServer,
} from "../support/test-server.ts";

let one: TestServer;
let other: TestServer;
beforeAll(async () => {
  one = await startTestServer();
  other = await startTestServer({ data: one.dataDir });
});
afterAll(async () => {
  await other.stop();
  await one.stop();
});

/** A project with an image of a large layer; the addresses that a pull asks for. */
async function createImage(project: string): Promise<readonly string[]> {
  await one.createProject(project);
  const target = { url: one.url, authorization: basicAuthorization(one.admin) };
  const image = smallImage("v1", [300_000]);
  for (const bytes of image.blobs) await pushBlob(target, `${project}/app`, bytes);
  const options = { body: image.manifest, headers: { "content-type": manifestType } };
  expect((await ask(target, "PUT", `/v2/${project}/app/manifests/v1`, options)).status).toBe(201);
  const blobs = image.blobs.map((bytes) => `/v2/${project}/app/blobs/${sha256Of(bytes)}`);
  return [
    `/v2/${project}/app/manifests/v1`,
    `/v2/${project}/app/manifests/${image.manifestDigest}`,
    ...blobs,
  ];
}

async function bearerOf(login: TestLogin | null, project: string): Promise<string> {
  const answer = await one.fetch(`/v2/token?scope=repository:${project}/app:pull`, { as: login });
  return `Bearer ${((await answer.json()) as { token: string }).token}`;
}

/** The statuses, each once, that both servers give to all that a pull asks, GET and HEAD, with every authorization. */
async function pull(paths: readonly string[], authorizations: readonly string[]): Promise<number[]> {
  const seen = new Set<number>();
  for (const { url } of [other, one])
    for (const authorization of authorizations)
      for (const path of paths)
        for (const method of ["GET", "HEAD"]) {
          const response = await ask({ url, authorization }, method, path);
          await response.arrayBuffer();
          seen.add(response.status);
        }
  return [...seen].toSorted((a, b) => a - b);
}

test.each([
  [
    "its robot is disabled",
    401,
    (project) => one.api("PATCH", `/projects/${project}/robots/ci`, { disabled: true }),
  ],
  ["its robot is deleted", 401, (project) => one.api("DELETE", `/projects/${project}/robots/ci`)],
  [
    "the project is deleted with its images",
    401,
    (project) => one.api("DELETE", `/projects/${project}?withRepositories=true`),
  ],
] as const satisfies [string, number, (project: string) => Promise<unknown>][])(
  "a robot's pull, remembered, when %s",
  async (what, status, change) => {
    const project = `robot-${what.replaceAll(/[^a-z]+/g, "-")}`;
    const paths = await createImage(project);
    const robot = await one.createRobot(project, "ci", ["pull"]);
    const logins = [basicAuthorization(robot), `Bearer ${robot.secret}`, await bearerOf(robot, project)];
    expect([await pull(paths, logins), await pull(paths, logins)]).toEqual([[200], [200]]);
    await change(project);
    expect(await pull(paths, logins)).toEqual([status]);
  },
);

test.each([
  ["loses the role", [404], (project, user) => one.api("DELETE", `/projects/${project}/members/${user}`)],
  ["is disabled", [401], (_, user) => one.api("PATCH", `/users/${user}`, { disabled: true })],
  // Its password is then one of nobody: who goes on sending it is slowed down.
  ["is deleted", [401, 429], (_, user) => one.api("DELETE", `/users/${user}`)],
] as const satisfies [string, number[], (project: string, user: string) => Promise<unknown>][])(
  "a member's pull, remembered, when the member %s",
  async (what, statuses, change) => {
    const name = `user-${what.replaceAll(" ", "-")}`;
    const paths = await createImage(name);
    const user = await one.createUser(name);
    await one.api("PUT", `/projects/${name}/members/${name}`, { role: "guest" });
    const logins = [basicAuthorization(user), await bearerOf(user, name)];
    expect([await pull(paths, logins), await pull(paths, logins)]).toEqual([[200], [200]]);
    await change(name, name);
    expect(await pull(paths, logins)).toEqual([...statuses]);
  },
);

test("everybody's pull, remembered, when the project is made private", async () => {
  const paths = await createImage("opened");
  await one.api("PATCH", "/projects/opened", { visibility: "public" });
  const stranger = await one.createUser("stranger");
  const nobody = ["", await bearerOf(null, "opened")];
  const known = [basicAuthorization(stranger), await bearerOf(stranger, "opened")];
  expect([await pull(paths, [...nobody, ...known]), await pull(paths, nobody)]).toEqual([[200], [200]]);
  await one.api("PATCH", "/projects/opened", { visibility: "private" });
  expect([await pull(paths, nobody), await pull(paths, known)]).toEqual([[401], [404]]);
});
