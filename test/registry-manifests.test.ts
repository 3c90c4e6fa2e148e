/** Manifests of the registry, by its protocol over real HTTP: what is taken and how it comes back, tags, referrers, deletions, addresses. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { manifestType } from "./support/registry-calls.ts";
import { digestOf } from "./support/registry-fixture.ts";
import {
  createTeamRegistry,
  emptyConfig,
  emptyDescriptor,
  errorOf,
  type TeamRegistry,
} from "./support/team-registry.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";
let it: TeamRegistry;

beforeAll(async () => {
  it = await createTeamRegistry();
});
afterAll(() => it.close());

test("a manifest comes back byte for byte, by tag and by digest, with GET and HEAD alike", async () => {
  const { text, digest, response } = await it.pushImage("team/image", "v1", {
    "x-custom": { kept: [1, " 2 "] },
  });
  expect([response.status, response.headers.get("docker-content-digest")]).toEqual([201, digest]);
  expect(response.headers.get("location")).toBe("/v2/team/image/manifests/v1");
  for (const reference of ["v1", digest, digest.replace(":", "%3A")]) {
    for (const turn of ["first", "remembered"]) {
      const got = await it.ask("GET", `/v2/team/image/manifests/${reference}`, { as: it.guest });
      const head = await it.ask("HEAD", `/v2/team/image/manifests/${reference}`, { as: it.guest });
      expect([turn, await got.text(), await head.text()]).toEqual([turn, text, ""]);
      for (const name of ["content-type", "content-length", "docker-content-digest", "etag"])
        expect([name, head.headers.get(name)]).toEqual([name, got.headers.get(name)]);
      expect(got.headers.get("content-type")).toBe(manifestType);
      expect(got.headers.get("content-length")).toBe(String(text.length));
    }
  }
});

test("a moved tag is seen at once, a deleted one too, and what was missing is not remembered", async () => {
  const at = "/v2/team/moving/manifests/v1";
  const read = async (): Promise<string> => {
    const response = await it.ask("GET", at, { as: it.guest });
    return response.ok ? response.text() : String(response.status);
  };
  expect([await read(), await read()]).toEqual(["404", "404"]);
  const first = await it.pushImage("team/moving", "v1");
  expect([await read(), await read()]).toEqual([first.text, first.text]);
  const second = await it.pushImage("team/moving", "v1");
  expect(await read()).toBe(second.text);
  expect((await it.ask("DELETE", at, { as: it.maintainer })).status).toBe(202);
  expect(await read()).toBe("404");
  expect((await it.ask("DELETE", at, { as: it.maintainer })).status).toBe(404);
});

test("manifests that cannot be taken, each with its reason", async () => {
  await it.pushBlob("team/bad", emptyConfig, it.developer);
  const put = async (reference: string, body: unknown, type = manifestType): Promise<[number, string]> =>
    errorOf(
      await it.ask("PUT", `/v2/team/bad/manifests/${reference}`, {
        as: it.developer,
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": type },
      }),
    );
  const good = { schemaVersion: 2, mediaType: manifestType, config: emptyDescriptor, layers: [] };
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
  expect((await it.ask("GET", "/v2/team/bad/manifests/x", { as: it.developer })).status).toBe(404);
  expect(
    (await it.ask("GET", "/v2/team/bad/manifests/sha256:baddigeststring", { as: it.guest })).status,
  ).toBe(404);
});

test("manifests at the edge: 4,393,216 bytes, and a clear 413 above", async () => {
  await it.pushBlob("team/edge", emptyConfig, it.developer);
  const sized = (size: number): string => {
    const empty = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: emptyDescriptor,
      layers: [],
      annotations: { a: "" },
    });
    return empty.replace('"a":""', `"a":"${"x".repeat(size - empty.length)}"`);
  };
  const put = (body: string | ReadableStream): Promise<Response> =>
    it.ask("PUT", "/v2/team/edge/manifests/large", {
      as: it.developer,
      body,
      headers: { "content-type": manifestType },
    });
  const largest = sized(4_393_216);
  expect((await put(largest)).status).toBe(201);
  const got = await it.ask("GET", "/v2/team/edge/manifests/large", { as: it.guest });
  expect((await got.text()) === largest).toBe(true);
  expect(await errorOf(await put(sized(4_393_217)))).toEqual([413, "SIZE_INVALID"]);
  expect((await put(new Blob([sized(4_393_217)]).stream())).status).toBe(413);
});

test("foreign layers, Docker schema 2 and unknown media types are taken", async () => {
  await it.pushBlob("team/odd", emptyConfig, it.developer);
  const put = async (type: string, body: unknown): Promise<number> =>
    (
      await it.ask("PUT", "/v2/team/odd/manifests/x", {
        as: it.developer,
        body: JSON.stringify(body),
        headers: { "content-type": type },
      })
    ).status;
  const foreign = {
    mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    digest: digestOf("elsewhere"),
    size: 9,
    urls: ["https://layers.example/x"],
  };
  expect(await put(manifestType, { schemaVersion: 2, config: emptyDescriptor, layers: [foreign] })).toBe(201);
  const docker = "application/vnd.docker.distribution.manifest.v2+json";
  expect(
    await put(docker, { schemaVersion: 2, mediaType: docker, config: emptyDescriptor, layers: [] }),
  ).toBe(201);
  expect(await put("application/vnd.example.thing+json", { anything: true })).toBe(201);
  expect(await put("text/html", { page: "<script>" })).toBe(201);
  const page = await it.ask("GET", "/v2/team/odd/manifests/x", { as: it.guest });
  expect(page.headers.get("content-security-policy")).toBe("sandbox");
});

test("several tags in one push", async () => {
  await it.pushBlob("team/tags", emptyConfig, it.developer);
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: emptyDescriptor,
    layers: [],
  });
  const put = (query: string): Promise<Response> =>
    it.ask("PUT", `/v2/team/tags/manifests/${digestOf(body, "sha512")}?${query}`, {
      as: it.developer,
      body,
      headers: { "content-type": manifestType },
    });
  const pushed = await put("tag=a&tag=b&tag=a");
  expect([pushed.status, pushed.headers.get("oci-tag")]).toEqual([201, "a, b, a"]);
  expect(pushed.headers.get("docker-content-digest")).toBe(digestOf(body, "sha512"));
  const list = await it.ask("GET", "/v2/team/tags/tags/list", { as: it.guest });
  expect(await list.json()).toEqual({ name: "team/tags", tags: ["a", "b"] });
  expect((await put("tag=good&tag=..bad")).status).toBe(400);
  expect((await it.ask("HEAD", "/v2/team/tags/manifests/good", { as: it.guest })).status).toBe(404);
  expect((await put(Array.from({ length: 101 }, (_, index) => `tag=t${index}`).join("&"))).status).toBe(400);
});

test("tags page by page, following the links", async () => {
  const tags = Array.from({ length: 25 }, (_, index) => `t${String(index).padStart(2, "0")}`);
  for (const tag of tags.toReversed()) await it.pushImage("team/many", tag);
  const found: string[] = [];
  let next: string | undefined = "/v2/team/many/tags/list?n=10";
  let pages = 0;
  while (next !== undefined) {
    const response: Response = await it.ask("GET", next, { as: it.guest });
    found.push(...((await response.json()) as { tags: string[] }).tags);
    next = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
    pages++;
  }
  expect([found, pages]).toEqual([tags, 3]);
  const none = await it.ask("GET", "/v2/team/many/tags/list?n=0", { as: it.guest });
  expect([await none.json(), none.headers.get("link")]).toEqual([{ name: "team/many", tags: [] }, null]);
  const after = await it.ask("GET", "/v2/team/many/tags/list?last=t23x", { as: it.guest });
  expect(((await after.json()) as { tags: string[] }).tags).toEqual(["t24"]);
  for (const n of ["-1", "x", "1e3"])
    expect((await it.ask("GET", `/v2/team/many/tags/list?n=${n}`, { as: it.guest })).status).toBe(400);
  expect(await errorOf(await it.ask("GET", "/v2/team/none/tags/list", { as: it.guest }))).toEqual([
    404,
    "NAME_UNKNOWN",
  ]);
});

test("referrers: always an index, filtered on request, also where the subject never came", async () => {
  const subject = await it.pushImage("team/signed", "v1");
  const refer = (artifactType: string, to: string) =>
    it.pushImage("team/signed", `sig-${Math.random().toString(36).slice(2)}`, {
      artifactType,
      subject: { mediaType: manifestType, digest: to, size: 100 },
      annotations: { by: artifactType },
    });
  const first = await refer("application/vnd.example.signature", subject.digest);
  expect(first.response.headers.get("oci-subject")).toBe(subject.digest);
  const second = await refer("application/vnd.example.sbom", subject.digest);
  const list = async (path: string) => {
    const response = await it.ask("GET", path, { as: it.guest });
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
      mediaType: manifestType,
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
  expect((await it.ask("GET", "/v2/team/signed/referrers/nonsense", { as: it.guest })).status).toBe(400);
  await it.ask("DELETE", `/v2/team/signed/manifests/${first.digest}`, { as: it.maintainer });
  expect(
    (await list(`/v2/team/signed/referrers/${subject.digest}`)).manifests.map((entry) => entry.digest),
  ).toEqual([second.digest]);
});

test("deletions: blobs that are used stay, manifests take their tags with them", async () => {
  const { digest, layer } = await it.pushImage("team/deleted", "v1");
  expect((await it.ask("DELETE", `/v2/team/deleted/blobs/${layer}`, { as: it.maintainer })).status).toBe(405);
  expect((await it.ask("DELETE", `/v2/team/deleted/manifests/${digest}`, { as: it.maintainer })).status).toBe(
    202,
  );
  expect((await it.ask("HEAD", "/v2/team/deleted/manifests/v1", { as: it.guest })).status).toBe(404);
  expect((await it.ask("HEAD", `/v2/team/deleted/blobs/${layer}`, { as: it.guest })).status).toBe(200);
  expect((await it.ask("DELETE", `/v2/team/deleted/blobs/${layer}`, { as: it.maintainer })).status).toBe(202);
  expect((await it.ask("HEAD", `/v2/team/deleted/blobs/${layer}`, { as: it.guest })).status).toBe(404);
  expect((await it.ask("DELETE", `/v2/team/deleted/blobs/${layer}`, { as: it.maintainer })).status).toBe(404);
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
    const response = await it.ask(method, path, { as: it.maintainer });
    expect([path, response.status, response.headers.get("allow")]).toEqual([path, 405, allow]);
  }
});

test("names that are none", async () => {
  for (const name of ["Team/app", "team/../app", "team//app", "-x/y", `team/${"a".repeat(300)}`]) {
    const response = await it.ask("GET", `/v2/${name}/tags/list`, { as: it.maintainer });
    expect([name, [400, 404].includes(response.status)]).toEqual([name, true]);
  }
  await it.pushImage("team/blobs/manifests/uploads", "list");
  const got = await it.ask("GET", "/v2/team/blobs/manifests/uploads/manifests/list", { as: it.guest });
  expect(got.status).toBe(200);
});

test("nothing above was a fault of the registry", () => {
  expect(it.logged).toEqual([]);
});
