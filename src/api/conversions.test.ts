import { afterEach, beforeEach, expect, test } from "bun:test";
import { createConversionJob } from "#catalog";
import { type AccountsFixture, basic, createAccountsFixture } from "../../test/support/accounts.ts";
import { type Api, createApi } from "./create-api.ts";

const IMAGE = `sha256:${"a".repeat(64)}`;

let fixture: AccountsFixture;
let api: Api;
beforeEach(async () => {
  fixture = await createAccountsFixture();
  const { catalog, access, clock, dir } = fixture;
  api = createApi({ catalog, access, dataDir: dir, now: () => clock.now() });
  await fixture.project("team");
});
afterEach(() => fixture.close());

async function member(name: string, role?: "guest" | "developer" | "maintainer"): Promise<string> {
  const id = await fixture.user(name, role === undefined ? {} : { roles: { team: role } });
  return basic(name, (await fixture.token(id)).secret);
}

async function call(login: string, method: string, path: string, body?: unknown) {
  const request = new Request(`http://registry.test/api/v1${path}`, {
    method,
    headers: { authorization: login, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await api.fetch(request, { address: "192.0.2.1" });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

test("off at first; maintainers switch it, others may not, strangers see nothing", async () => {
  const maintainer = await member("maintainer", "maintainer");
  expect(await call(maintainer, "GET", "/projects/team")).toMatchObject({
    body: { convert: "off", convertOn: "request" },
  });
  for (const change of [{ convert: "sif" }, { convertOn: "push" }, { convert: "both" }])
    expect(await call(maintainer, "PATCH", "/projects/team", change)).toMatchObject({
      status: 200,
      body: change,
    });
  expect(await call(maintainer, "GET", "/projects/team")).toMatchObject({
    body: { convert: "both", convertOn: "push" },
  });
  for (const role of ["guest", "developer"] as const) {
    const login = await member(role, role);
    expect((await call(login, "PATCH", "/projects/team", { convert: "sif" })).status).toBe(403);
    expect((await call(login, "GET", "/projects/team/conversions")).status).toBe(200);
  }
  const stranger = await member("stranger");
  for (const [method, path, body] of [
    ["PATCH", "/projects/team", { convert: "sif" }],
    ["GET", "/projects/team/conversions", undefined],
  ] as const)
    expect((await call(stranger, method, path, body)).status).toBe(404);
  for (const change of [{ convert: "zip" }, { convert: true }, { convertOn: "never" }])
    expect((await call(maintainer, "PATCH", "/projects/team", change)).status).toBe(400);
});

test("what failed is shown with its reason, until somebody asks for it anew", async () => {
  const { catalog } = fixture;
  const login = await member("maintainer", "maintainer");
  const bare = { artifactType: undefined, subject: undefined, annotations: {}, references: [] };
  const image = {
    digest: IMAGE,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    body: new Uint8Array(1),
  };
  await catalog.content.putManifest("team/app", { ...image, ...bare }, ["v1"]);
  await catalog.write([], () => {
    const job = createConversionJob({ repository: "team/app", source: IMAGE, format: "sif" });
    catalog.jobs.enqueue(job);
    const take = { kinds: [job.kind], holder: "a", leaseMs: 1000, maxRunning: 1, maxAttempts: 3 };
    const { id = 0 } = catalog.jobs.take(take) ?? {};
    const error = { code: "IMAGE_INVALID", message: "a layer is no tar" };
    catalog.jobs.fail(id, "a", { error, again: false, askAgainMs: undefined });
  });
  expect((await call(login, "GET", "/projects/team/conversions")).body).toMatchObject({
    results: 0,
    sizeBytes: 0,
    jobs: [
      {
        image: `team/app@${IMAGE} sif`,
        state: "failed",
        attempts: 1,
        error: { code: "IMAGE_INVALID", message: "a layer is no tar" },
      },
    ],
  });
  await call(login, "PATCH", "/projects/team", { description: "another" });
  expect((await call(login, "GET", "/projects/team/conversions")).body).toMatchObject({ jobs: [{}] });
  await call(login, "PATCH", "/projects/team", { convert: "sif" });
  expect((await call(login, "GET", "/projects/team/conversions")).body).toMatchObject({ jobs: [] });
});
