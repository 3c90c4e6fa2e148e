import { expect, test } from "bun:test";
import type { Peer } from "#registry";
import { createDispatch } from "./dispatch.ts";
import { createMetrics } from "./metrics.ts";
import { parseNetworkList } from "./options/network-list.ts";

interface Setting {
  readonly behindProxy?: readonly string[];
  readonly secure?: boolean;
  readonly insecureHttp?: boolean;
}

/** Which part answered, with the peer that it was given. */
async function ask(path: string, from: string, setting: Setting = {}, headers: Record<string, string> = {}) {
  const { secure = false } = setting;
  const part = (name: string) => (peer: Peer) =>
    Response.json({ name, address: peer.address, secure: peer.secure, origin: peer.origin });
  const dispatch = createDispatch({
    registry: { fetch: (_, peer) => part("registry")(peer) },
    api: async () => ({ fetch: (_, peer) => part("api")(peer) }),
    site: (_path, _request, peer) => part("site")(peer),
    secure,
    behindProxy: parseNetworkList(setting.behindProxy ?? []),
    insecureHttp: setting.insecureHttp ?? false,
    publicUrl: undefined,
    metrics: createMetrics(),
    accessLog: undefined,
  });
  const request = new Request(`${secure ? "https" : "http"}://reg.example.org${path}`, { headers });
  const response = await dispatch(request, { requestIP: () => ({ address: from }) });
  const body: Record<string, unknown> = Object.assign({}, await response.json());
  return { status: response.status, body };
}

test("each part of the address space goes to its room", async () => {
  const cases: [string, string][] = [
    ["/v2/", "registry"],
    ["/v2", "registry"],
    ["/v2/a/b/manifests/latest", "registry"],
    ["/v2/token?service=wharf", "registry"],
    ["/v2?x", "registry"],
    ["/v2x", "site"],
    ["/api/v1/projects", "api"],
    ["/api", "site"],
    ["/", "site"],
    ["/?/v2/", "site"],
    ["/healthz", "site"],
    ["/x/v2/", "site"],
  ];
  for (const [path, name] of cases)
    expect([path, (await ask(path, "127.0.0.1")).body.name]).toEqual([path, name]);
});

test("nothing in front: the connection's own address, and no header changes it", async () => {
  const forged = {
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
  };
  expect((await ask("/v2/", "::ffff:192.0.2.9", {}, forged)).body).toEqual({
    name: "registry",
    address: "192.0.2.9",
    secure: false,
  });
});

test("behind a proxy, its headers count; those who come past it are refused where passwords are sent", async () => {
  const setting = { behindProxy: ["10.0.0.0/8"] };
  const headers = { "x-forwarded-for": "203.0.113.5", "x-forwarded-proto": "https" };
  expect((await ask("/v2/", "10.1.1.1", setting, headers)).body).toMatchObject({
    address: "203.0.113.5",
    secure: true,
  });
  for (const path of ["/v2/", "/v2", "/v2/token", "/api/v1/whoami"]) {
    const refused = await ask(path, "192.0.2.9", setting, headers);
    expect([path, refused.status, refused.body.code]).toEqual([path, 403, "DENIED"]);
  }
  expect((await ask("/healthz", "192.0.2.9", setting)).body.name).toBe("site");
  expect((await ask("/v2/", "127.0.0.1", setting, headers)).body).toMatchObject({
    address: "127.0.0.1",
    secure: false,
  });
  for (const open of [{ insecureHttp: true }, { secure: true }])
    expect((await ask("/v2/", "192.0.2.9", { ...setting, ...open }, headers)).body.address).toBe("192.0.2.9");
});
