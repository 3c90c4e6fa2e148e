/** `TAG.sif` at the registry alone, where nothing makes it: what a client is told while it waits, and what is asked for. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mediaTypes } from "#oci";
import { createRegistryFixture, digestOf, type RegistryFixture } from "./support/registry-fixture.ts";

let it: RegistryFixture;
let owner: string;

beforeAll(async () => {
  it = await createRegistryFixture({ conversionWaitSeconds: 0.2 });
  await it.accounts.project("team");
  owner = await it.member("main", { team: "maintainer" });
});
afterAll(() => it.close());

type Change = Parameters<RegistryFixture["accounts"]["catalog"]["projects"]["update"]>[1];
async function change(to: Change): Promise<void> {
  const { catalog } = it.accounts;
  await catalog.write(["access"], () => catalog.projects.update(catalog.projects.find("team")?.id ?? 0, to));
}
const jobs = (): readonly string[] => {
  const { catalog } = it.accounts;
  return catalog.read(() =>
    catalog.jobs.listOfProject(catalog.projects.find("team")?.id ?? 0, 100).map(({ key }) => key),
  );
};

async function push(tag: string, as: string, configType: string = mediaTypes.ociConfig): Promise<string> {
  const config = new TextEncoder().encode(JSON.stringify({ os: "linux", architecture: "amd64", tag }));
  const digest = await it.pushBlob("team/app", config, as);
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: configType, digest, size: config.length },
    layers: [],
  });
  const answer = await it.ask("PUT", `/v2/team/app/manifests/${tag}`, {
    as,
    body,
    headers: { "content-type": mediaTypes.ociManifest },
  });
  expect(answer.status).toBe(201);
  return digestOf(body);
}

test("off, a tag of that name is as unknown as any other", async () => {
  await push("off", owner);
  for (const tag of ["off.sif", "off.sqsh", "none.sif"])
    expect((await it.ask("GET", `/v2/team/app/manifests/${tag}`, { as: owner })).status).toBe(404);
  expect(jobs()).toEqual([]);
});

test("while it is made: 503, when to ask again, and words", async () => {
  await change({ convert: "sif" });
  const image = await push("slow", owner);
  for (const method of ["GET", "HEAD"]) {
    const answer = await it.ask(method, "/v2/team/app/manifests/slow.sif", { as: owner });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    if (method === "GET")
      expect(await answer.json()).toMatchObject({
        errors: [
          {
            code: "TOOMANYREQUESTS",
            message: expect.stringContaining("slow.sif is being made of its image"),
          },
        ],
      });
  }
  expect(jobs()).toEqual([`team/app@${image} sif`]);
  expect((await it.ask("GET", "/v2/team/app/manifests/slow.sqsh", { as: owner })).status).toBe(404);
  expect(it.logged).toEqual([]);
});

test("who may not pull gets the answer for the image, and asks for nothing", async () => {
  await change({ convert: "sif" });
  await push("closed", owner);
  const before = jobs();
  const stranger = await it.member("stranger", {});
  for (const as of [stranger, undefined]) {
    const [image, sif] = [
      await it.ask("GET", "/v2/team/app/manifests/closed", { as }),
      await it.ask("GET", "/v2/team/app/manifests/closed.sif", { as }),
    ];
    expect(sif.status).toBe(image.status);
    expect(await sif.text()).toBe(await image.text());
    expect(sif.headers.get("www-authenticate")).toBe(image.headers.get("www-authenticate"));
  }
  expect(jobs()).toEqual(before);
});

test("what is no image is not converted, on request or on push", async () => {
  await change({ convert: "both", convertOn: "push" });
  const before = jobs();
  await push("chart", owner, "application/vnd.cncf.helm.config.v1+json");
  expect((await it.ask("GET", "/v2/team/app/manifests/chart.sif", { as: owner })).status).toBe(404);
  expect(jobs()).toEqual(before);
  const image = await push("eager", owner);
  expect(jobs().slice(before.length)).toEqual([`team/app@${image} sif`, `team/app@${image} sqsh`]);
  // Pushed again it is the same work.
  await push("eager", owner);
  expect(jobs().length).toBe(before.length + 2);
});

test("when its image goes while somebody waits, there is no such tag", async () => {
  await change({ convert: "sif", convertOn: "request" });
  const image = await push("going", owner);
  const asked = it.ask("GET", "/v2/team/app/manifests/going.sif", { as: owner });
  await it.accounts.catalog.content.deleteManifest("team/app", image);
  expect((await asked).status).toBe(404);
});
